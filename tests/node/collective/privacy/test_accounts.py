"""Accounts of erased members are removed from the collective's own XMPP server."""

from datetime import timedelta
import logging
from pathlib import Path
import sys

import pytest

from consometers_node.collective.members import accounts
from consometers_node.collective.members.accounts import NotRemoved, removal_problems
from consometers_node.collective.privacy.erasure import NOTIFY_FOR, erase_member, is_wiped
from consometers_node.collective.privacy.retention import Retention
from consometers_node.collective.settings import Xmpp
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from testing.clocks import Hands, confirmed, set_aside_the_clock_of, sure
from testing.collectives.members import AT, ZONE, changing, join

JID = "anemone@example.org"
LATER = AT + timedelta(days=40)


def removal(file: Path) -> tuple[str, ...]:
    """Return a command that appends each address to a file, and fails while that is a folder."""
    program = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"
    return sys.executable, "-c", program, str(file)


@pytest.mark.parametrize(
    ("address", "command", "can"),
    [
        (JID, ("remove",), True),
        (JID, (), False),
        ("anemone@else.example.org", ("remove",), False),
        ("anemone@anexample.org", ("remove",), False),
    ],
)
def test_only_accounts_of_the_own_server_can_be_removed(
    address: str, command: tuple[str, ...], can: bool
) -> None:
    xmpp = Xmpp(account="collective@example.org", account_removal_command=command)
    assert xmpp.removes(address) is can


async def test_an_account_is_removed_after_the_notice_or_its_deadline(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with changing(store) as (connection, _):
        await set_aside_the_clock_of(connection)
        member, _ = await join(connection, "anemone")
        await accounts.order_removal(connection, JID)
    await erase_member(store, ZONE, member.id, LATER)
    hands = Hands(LATER)
    file = tmp_path / "removed"
    command = removal(file)
    upkeep = Retention(
        store, ZONE, Changes(), await confirmed(store, hands), account_removal=command
    )
    await upkeep.look()
    assert not file.exists()
    hands.go_on(NOTIFY_FOR)
    await upkeep.look()  # Its address is forgotten.
    assert await accounts.remove_ordered(store, (), sure(hands.at)) == 0
    async with store.reading() as connection:
        assert await removal_problems(connection) == []
    file.mkdir()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        await upkeep.look()
        await upkeep.look()
    async with store.reading() as connection:
        (problem,) = await removal_problems(connection)
    assert problem.say("fr").startswith("La commande qui supprime les comptes a échoué")
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert JID not in caplog.text
    file.rmdir()
    await upkeep.look()
    await upkeep.look()
    assert file.read_text() == f"{JID}\n"
    async with store.reading() as connection:
        assert await removal_problems(connection) == []
        assert await is_wiped(connection)
        assert [(read.who, read.what) for read in await reads(connection)] == [
            ("node", "account removed")
        ]


async def test_a_member_that_joins_again_keeps_its_account(store: Store, tmp_path: Path) -> None:
    async with changing(store) as (connection, members):
        await members.admit(JID, AT)
        await accounts.order_removal(connection, JID)
    command = removal(tmp_path / "removed")
    assert await accounts.remove_ordered(store, command, sure(AT)) == 0
    async with changing(store) as (_, members):
        member = await members.named(JID)
    await erase_member(store, ZONE, member.id, LATER)
    assert await accounts.remove_ordered(store, command, sure(AT)) == 0


async def test_a_hanging_command_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_SECONDS", 0.1)
    with pytest.raises(NotRemoved, match="timeout"):
        await accounts.remove([sys.executable, "-c", "import time; time.sleep(60)"], JID)
