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
        await connection.online(120)
        return connection.is_online


async def test_an_invitation_makes_an_account_whose_password_nobody_has_seen(
    server: Prosody,
) -> None:
    account = await register(invited(server), server=reach(server))
    assert account.jid.endswith("@one.test")
    assert len(account.password) >= 43
    assert account.password not in server.log()
    assert await logs_in(account, server)


async def test_an_invitation_may_name_the_account(server: Prosody) -> None:
    account = await register(invited(server, "kersabiec"), user="other", server=reach(server))
    assert account.jid == "kersabiec@one.test"
    assert await logs_in(account, server)


async def test_an_invitation_serves_once(server: Prosody) -> None:
    invitation = invited(server)
    await register(invitation, server=reach(server))
    with pytest.raises(InvitationRefused, match="ask for a new one"):
        await register(invitation, server=reach(server))


async def test_an_invitation_that_was_made_up_is_refused(server: Prosody) -> None:
    with pytest.raises(InvitationRefused):
        await register(replace(invited(server), token="made up"), server=reach(server))


async def test_a_name_that_is_taken_is_said(server: Prosody, new_account: NewAccount) -> None:
    taken = new_account(server).partition("@")[0]
    with pytest.raises(AccountTaken, match=f"{taken}@one.test is taken"):
        await register(invited(server), user=taken, server=reach(server))


async def test_no_password_goes_to_a_server_that_is_not_trusted(server: Prosody) -> None:
    nobodys = replace(reach(server), ca_file=None)
    assert isinstance(nobodys, Server)
    with pytest.raises(CertificateRefused):
        await register(invited(server), server=nobodys)
