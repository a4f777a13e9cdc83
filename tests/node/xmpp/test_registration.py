"""An account from an invitation."""

from dataclasses import replace

import pytest

from consometers_quoalise_network import Account, Register, Server, links
from consometers_quoalise_network.errors import AccountTaken, CertificateRefused, InvitationRefused
from consometers_quoalise_xmpp import Connection, register
from demo.servers.prosody import Prosody
from testing.networks import reach
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.xmpp.fixtures import NewAccount


def invited(server: Prosody, user: str | None = None) -> Register:
    invitation = links.read(server.invite(user))
    assert isinstance(invitation, Register)
    return invitation


async def logs_in(account: Account, server: Prosody) -> bool:
    async with Connection(account, server=reach(server)) as connection:
        await connection.online(DEADLINE_S)
        return connection.is_online


async def test_an_invitation_creates_an_account_with_a_random_password(
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


async def test_used_and_made_up_invitations_are_refused(server: Prosody) -> None:
    invitation = invited(server)
    await register(invitation, server=reach(server))
    for refused in (invitation, replace(invitation, token="made up")):
        with pytest.raises(InvitationRefused, check=says("ask for a new one")):
            await register(refused, server=reach(server))


async def test_a_taken_name_is_refused(server: Prosody, new_account: NewAccount) -> None:
    taken = new_account(server).partition("@")[0]
    with pytest.raises(AccountTaken, check=says(f"{taken}@one.test is taken")):
        await register(invited(server), user=taken, server=reach(server))


async def test_no_password_is_sent_to_an_untrusted_server(server: Prosody) -> None:
    untrusting = replace(reach(server), ca_file=None)
    assert isinstance(untrusting, Server)
    with pytest.raises(CertificateRefused):
        await register(invited(server), server=untrusting)
