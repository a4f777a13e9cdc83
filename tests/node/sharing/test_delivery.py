"""Records from a home to its collective, whatever goes wrong on the way."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from consometers_node.i18n.text import UNSAID
from consometers_node.permission import Permissions, State
from consometers_node.store import Store
from consometers_node.store.peers import subscriptions
from consometers_quoalise import Data, NotAuthorized
from consometers_quoalise_network import NotStored
from consometers_quoalise_network.address import account_of
from consometers_quoalise_network.errors import WrongPassword
from consometers_quoalise_xmpp import XmppTransport
from demo.servers.prosody import Prosody
from testing.homes.data_needs import CHOICE, NEED, YES, now, waiting
from testing.homes.ledgers import Ledger, hours, midnight, run_out
from testing.homes.running import (
    RunningHome,
    StoringCollective,
    bare,
    decisions_confirmed,
    running,
    shared,
)
from testing.networks import Memory
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.fixtures import MakeNode, MakePlain, NewAccount, XmppNode
from testing.xmpp.plain_peer import SUBSCRIBE, values

LONG = 1_000.0


async def outbox_empties(house: RunningHome) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            async with house.store.reading() as connection:
                if not await waiting(connection, house.ledger.peer.id):
                    return
            await asyncio.sleep(0.01)


async def test_records_arrive_once_and_are_acknowledged(
    house: RunningHome, coop: XmppNode, collective: StoringCollective
) -> None:
    await shared(house, coop)
    day = hours(midnight(), range(10))
    await house.keep(day)
    await until(lambda: collective.values == day)
    await outbox_empties(house)
    house.changes.notify()
    house.delivery.note_online()
    await asyncio.sleep(0.3)
    assert collective.pushes == 1
    assert await house.ledger.cursor() == max(day) + (midnight(1) - midnight()) / 24
    await house.keep(hours(midnight(), [100, *range(1, 12)]))
    await until(lambda: len(collective.values) == 12)
    await outbox_empties(house)
    assert collective.values == hours(midnight(), [100, *range(1, 12)])


async def test_a_withdrawal_drops_messages_that_await_a_receipt(
    house: RunningHome, coop: XmppNode, collective: StoringCollective
) -> None:
    permission = await shared(house, coop)
    collective.keeps.clear()
    await house.keep(hours(midnight(), range(10)))
    await until(collective.came.is_set)
    await house.withdraw(permission)
    await decisions_confirmed(house)
    await outbox_empties(house)
    assert collective.log[-1] == ("withdraw", permission)
    collective.keeps.set()
    await house.keep(hours(midnight(), range(20)))
    await asyncio.sleep(0.3)
    assert collective.pushes == 1
    assert house.delivery.problem is None


async def test_a_withdrawal_during_an_outage_drops_queued_records(
    file: Store,
    own: Prosody,
    new_node: MakeNode,
    new_account: NewAccount,
    collective: StoringCollective,
) -> None:
    coop = await new_node(own, collective, keep=collective.keep)
    async with running(file, own, new_account(own), bare(coop)) as house:
        await house.connection.online(DEADLINE_S)
        permission = await shared(house, coop)
        own.freeze()
        await house.keep(hours(midnight(), range(10)))
        assert isinstance(house.connection, XmppTransport)
        unacknowledged = house.connection.stream.plugin["xep_0198"].unacked_queue
        await until(lambda: any(len(stanza.xml) for _, stanza in unacknowledged))
        await house.withdraw(permission)
        await outbox_empties(house)
        own.kill()
        own.start()
        await decisions_confirmed(house)
        assert collective.log[-1] == ("withdraw", permission)
        await asyncio.sleep(0.3)
        assert collective.pushes == 0


async def test_a_subscriber_without_receipts_gets_each_record_once(
    file: Store,
    prosody: tuple[Prosody, Prosody],
    new_account: NewAccount,
    new_plain: MakePlain,
) -> None:
    server, other_server = prosody
    plain = await new_plain(other_server)
    ledger = await Ledger.open(file, plain.boundjid.bare)
    await ledger.cover(midnight(-30), midnight(1))
    async with file.writing() as connection:
        permissions = Permissions(connection)
        permission = await permissions.propose(ledger.peer.id, NEED, now(), who="me")
        await permissions.grant(permission, CHOICE, YES, now())
    async with running(file, server, new_account(server), plain.boundjid.bare) as house:
        await house.connection.online(DEADLINE_S)
        asked = SUBSCRIBE.format(node="subscribe", identifier=house.name)
        assert (await plain.ask(house.address, asked)).get("type") == "result"
        await house.keep(hours(midnight(), range(4)))
        heard = await plain.receive()
        assert [value for _, value in values(heard)] == ["0", "1", "2", "3"]
        assert heard.find("{urn:xmpp:receipts}request") is None
        await outbox_empties(house)
        await house.keep(hours(midnight(), range(5)))
        assert [value for _, value in values(await plain.receive())] == ["4"]
        await outbox_empties(house)
        assert house.delivery.problem is None


async def test_a_collective_that_was_away_gets_decisions_once_it_asks(
    file: Store, server: Memory, other_server: Memory, new_account: NewAccount, new_node: MakeNode
) -> None:
    collective, jid = StoringCollective(), new_account(other_server)
    async with running(file, server, new_account(server), jid, first_delay_s=LONG) as house:
        await house.connection.online(DEADLINE_S)
        await house.ledger.cover(midnight(-30), midnight(1))
        await house.grant()
        await until(lambda: house.delivery.problem is not None)
        coop = await new_node(other_server, collective, jid=jid, keep=collective.keep)
        await asyncio.sleep(0.3)
        assert collective.log == []
        assert len(await coop.asking.list_series(house.address)) == 1
        await decisions_confirmed(house)
        assert house.delivery.problem is None


async def test_a_late_receipt_prevents_a_repetition(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    jid = new_account(server)
    async with running(
        file, server, jid, bare(coop), first_delay_s=LONG, receipt_within_s=0.3
    ) as house:
        await house.connection.online(DEADLINE_S)
        await shared(house, coop)
        collective.keeps.clear()
        await house.keep(hours(midnight(), range(10)))
        await until(lambda: house.delivery.problem is not None)
        collective.keeps.set()
        await outbox_empties(house)
        await until(lambda: house.delivery.problem is None)
        await asyncio.sleep(0.2)
        assert collective.pushes == 1


@pytest.mark.parametrize("fault", [NotStored, NotAuthorized])
async def test_refused_or_unconfirmed_records_are_reported_and_sent_again(
    file: Store,
    server: Memory,
    other_server: Memory,
    new_account: NewAccount,
    new_node: MakeNode,
    *,
    fault: type[Exception],
) -> None:
    collective, faults = StoringCollective(), [fault, fault]

    async def keep(sender: str, data: Data) -> None:
        if faults:
            raise faults.pop()
        await collective.keep(sender, data)

    coop = await new_node(other_server, collective, keep=keep)
    async with running(
        file, server, new_account(server), bare(coop), receipt_within_s=0.3
    ) as house:
        await house.connection.online(DEADLINE_S)
        await shared(house, coop)
        await house.keep(hours(midnight(), range(10)))
        await until(lambda: house.delivery.problem is not None)
        await until(lambda: len(collective.values) == 10)
        await outbox_empties(house)
        await until(lambda: house.delivery.problem is None)


async def test_a_restarted_node_resumes_its_delivery(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    jid = new_account(server)
    async with running(file, server, jid, bare(coop)) as house:
        await house.connection.online(DEADLINE_S)
        await shared(house, coop)
        collective.keeps.clear()
        await house.keep(hours(midnight(), range(10)))
        await until(collective.came.is_set)
    collective.keeps.set()
    await house.ledger.keep(hours(midnight(), [7, *range(1, 12)]))
    async with running(file, server, jid, bare(coop)) as house:
        await until(lambda: len(collective.values) == 12)
        await outbox_empties(house)
    assert collective.values == hours(midnight(), [7, *range(1, 12)])
    assert collective.log == [("grant", collective.log[0][1])] * 2


async def test_a_peer_that_joins_gets_records_though_another_one_is_absent(
    house: RunningHome,
    coop: XmppNode,
    collective: StoringCollective,
    *,
    other_server: Memory,
    new_account: NewAccount,
    new_node: MakeNode,
) -> None:
    absent = replace(house, ledger=await Ledger.open(house.store, new_account(other_server)))
    await absent.grant()
    await shared(house, coop)
    other = StoringCollective()
    town = await new_node(other_server, other, keep=other.keep)
    second = replace(house, ledger=await Ledger.open(house.store, bare(town)))
    await second.grant()
    await decisions_confirmed(second)
    await town.asking.subscribe(house.address, second.name)
    assert second.name != house.name
    await house.keep(hours(midnight(), range(10)))
    await until(lambda: len(other.values) == len(collective.values) == 10)
    await until(lambda: absent.delivery.problem is not None)
    assert house.delivery.problem is second.delivery.problem is None


@pytest.fixture
def frequent_clock_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consometers_node.sharing.service._CLOCK_EVERY_S", 0.1)


@pytest.mark.usefixtures("frequent_clock_checks")
async def test_an_expired_permission_is_registered_and_lets_nothing_leave(
    house: RunningHome, coop: XmppNode, collective: StoringCollective, tmp_path: Path
) -> None:
    permission = await shared(house, coop)
    await asyncio.to_thread(run_out, tmp_path / "node.db", permission)
    await house.becomes(permission, State.EXPIRED)
    await house.keep(hours(midnight(), range(10)))
    async with house.store.reading() as connection:
        assert await subscriptions(connection) == []
    with pytest.raises(NotAuthorized):
        await coop.asking.get_history(house.address, house.name)
    await asyncio.sleep(0.2)
    assert collective.pushes == 0


async def test_a_password_that_becomes_wrong_is_reported_and_ends_nothing(
    house: RunningHome, coop: XmppNode, server: Memory
) -> None:
    permission = await shared(house, coop)
    jid = account_of(house.address)
    server.network.drop(jid, WrongPassword(jid=jid))
    await until(lambda: isinstance(house.connection.problem, WrongPassword))
    await house.keep(hours(midnight(), range(10)))
    await until(lambda: "this password" in (house.delivery.problem or UNSAID).say("en"))
    await house.withdraw(permission)
    await outbox_empties(house)
    assert await house.pending_notices() == 1
    assert "mot de passe" in (house.delivery.problem or UNSAID).say("fr")
