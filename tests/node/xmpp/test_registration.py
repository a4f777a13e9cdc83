"""An account from an invitation."""

from dataclasses import replace

import pytest

from consometers_node.xmpp import Account, Connection, Register, Server, links, register
from consometers_node.xmpp.errors import AccountTaken, CertificateRefused, InvitationRefused
from demo.prosody import Prosody

from .conftest import NewAccount, reach


def invited(server: Prosody, user: str | None = None) -> Register:
    invitation = links.read(server.invite(user))
    assert isinstance(invitation, Register)
    return invitation


async def logs_in(account: Account, server: Prosody) -> bool:
    async with Connection(account, server=reach(server)) as connection:
        await connection.online(10)
        return connection.is_online


async def test_an_invitation_makes_an_account_whose_password_nobody_has_seen(one: Prosody) -> None:
    account = await register(invited(one), server=reach(one))
    assert account.jid.endswith("@one.test")
    assert len(account.password) >= 43
    assert account.password not in one.log()
    assert await logs_in(account, one)


async def test_an_invitation_may_name_the_account(one: Prosody) -> None:
    account = await register(invited(one, "kersabiec"), user="other", server=reach(one))
    assert account.jid == "kersabiec@one.test"
    assert await logs_in(account, one)


async def test_an_invitation_serves_once(one: Prosody) -> None:
    invitation = invited(one)
    await register(invitation, server=reach(one))
    with pytest.raises(InvitationRefused, match="ask for a new one"):
        await register(invitation, server=reach(one))


async def test_an_invitation_that_was_made_up_is_refused(one: Prosody) -> None:
    with pytest.raises(InvitationRefused):
        await register(replace(invited(one), token="made up"), server=reach(one))


async def test_a_name_that_is_taken_is_said(one: Prosody, new_account: NewAccount) -> None:
    taken = new_account(one).partition("@")[0]
    with pytest.raises(AccountTaken, match=f"{taken}@one.test is taken"):
        await register(invited(one), user=taken, server=reach(one))


async def test_no_password_goes_to_a_server_that_is_not_trusted(one: Prosody) -> None:
    nobodys = replace(reach(one), ca_file=None)
    assert isinstance(nobodys, Server)
    with pytest.raises(CertificateRefused):
        await register(invited(one), server=nobodys)
