"""A hostile XMPP server: a real Prosody that forges, holds back, doubles, reorders and replays.

It is the collective's, the home's own, or somebody else's.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
import logging
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import pytest_socket
from sqlalchemy import select

from consometers_node.collective.permissions import member_permissions as gifts
from consometers_node.permission import State
from consometers_node.store import PermissionId, Store
from consometers_node.store.tables import OutboxRow
from consometers_quoalise import ResourceConstraint, requests
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.records import data
from consometers_quoalise_network.errors import NoAnswer
from demo.servers.prosody import Authority, Prosody, federate
from testing.collectives.joining import PAST, jid, join, wait_for_records
from testing.collectives.records import pushed_data
from testing.collectives.running import Coop, cooperating
from testing.homes.ledgers import HOUR, hours, midnight
from testing.homes.running import (
    RunningHome,
    StoringCollective,
    bare,
    decisions_confirmed as confirmed,
    running,
    shared,
)
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.waiting import eventually
from testing.xmpp.fixtures import MakeNode, NewAccount
from testing.xmpp.hostile_server import ServerOwner, corrupt
from testing.xmpp.plain_peer import PlainPeer


@pytest.fixture(scope="session")
def domains(authority: Authority) -> Iterator[tuple[Prosody, Prosody]]:
    """Run an honest server and a hostile one, which federate."""
    pytest_socket.enable_socket()
    honest, hostile = Prosody("honest.test", authority), Prosody("hostile.test", authority)
    federate(honest, hostile)
    with honest, hostile:
        corrupt(hostile)
        yield honest, hostile


@pytest.fixture
def honest(domains: tuple[Prosody, Prosody], socket_enabled: None) -> Prosody:
    return domains[0]


@pytest.fixture
def hostile(domains: tuple[Prosody, Prosody], socket_enabled: None) -> Prosody:
    return domains[1]


@pytest.fixture
async def attacker(hostile: Prosody, new_account: NewAccount) -> AsyncIterator[ServerOwner]:
    async with PlainPeer(hostile, new_account(hostile), PASSWORD) as account:
        attacker = ServerOwner(hostile.host, account)
        await attacker.begin_again()
        yield attacker
        await attacker.begin_again()


WHOSE = {"the home's": (1, 0), "the collective's": (0, 1), "somebody else's": (0, 0)}
"""Who has an account on the hostile server: the home, the collective."""


@pytest.fixture(params=("the home's", "the collective's"))
def places(
    request: pytest.FixtureRequest, domains: tuple[Prosody, Prosody], socket_enabled: None
) -> list[Prosody]:
    """Return the server of the home and that of the collective."""
    return [domains[n] for n in WHOSE[request.param]]


@pytest.fixture
async def coop(
    tmp_path: Path, places: list[Prosody], new_account: NewAccount
) -> AsyncIterator[Coop]:
    store = await Store.open(tmp_path / "coop.db")
    async with cooperating(store, places[1], new_account(places[1]), tmp_path) as coop:
        yield coop
    await store.close()


@pytest.fixture
async def house(
    file: Store, places: list[Prosody], new_account: NewAccount, coop: Coop
) -> AsyncIterator[RunningHome]:
    async with running(file, places[0], new_account(places[0]), coop.jid) as house:
        await house.connection.online(DEADLINE_S)
        yield house


async def permission_state(coop: Coop, permission: str) -> State | None:
    """Return the state of a permission at the collective; None if it has none of that id."""
    async with coop.store.reading() as connection:
        every = await gifts.all_permissions(connection)
    return next((grant.state for grant in every if grant.id == permission), None)


async def is_invited(coop: Coop, house: RunningHome) -> None:
    token = await coop.invite()
    await house.sharing.asking.get_data_needs(coop.jid, token)


async def everything_arrived(coop: Coop, house: RunningHome) -> None:
    """Wait until earlier stanzas are handled: in order, one request at a time."""
    while True:
        try:
            await house.sharing.asking.list_series(coop.jid)
            await coop.network.sharing.asking.list_series(house.address)
        except ResourceConstraint:
            await asyncio.sleep(0.05)
        else:
            return


async def test_a_grant_delivered_after_its_withdrawal_opens_nothing(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    await is_invited(coop, house)
    await attacker.meet('node="grant"', "bounce")
    await attacker.meet("node='grant'", "bounce")
    permission = await house.grant()
    await eventually(lambda: attacker.count("node='grant'"), bool)
    await house.withdraw(permission)
    await confirmed(house)
    assert await permission_state(coop, permission) is None
    assert await attacker.release()
    await everything_arrived(coop, house)
    assert await permission_state(coop, permission) is not State.GRANTED


async def test_a_grant_replayed_after_its_withdrawal_opens_nothing(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    await join(coop, house)
    (permission,) = [PermissionId(grant.id) for grant in await granted(coop)]
    await house.withdraw(permission)
    await confirmed(house)
    assert await permission_state(coop, permission) is State.WITHDRAWN
    assert await attacker.replay("node='grant'")
    await everything_arrived(coop, house)
    assert await permission_state(coop, permission) is State.WITHDRAWN
    assert await coop.values([midnight(-n).date() for n in range(5)]) == {}


async def granted(coop: Coop) -> list[gifts.MemberPermission]:
    async with coop.store.reading() as connection:
        return await gifts.all_permissions(connection)


async def shares_and_withdraws(coop: Coop, house: RunningHome) -> PermissionId:
    """Grant the past, share a new hour, and withdraw; return the permission once that is known."""
    past = await join(coop, house)
    await wait_for_records(coop, past)
    new = {PAST + 60 * HOUR: 600}
    await house.keep(
        {start: value for start, value in (past | new).items() if start >= PAST + 48 * HOUR}
    )
    await wait_for_records(coop, past | new)
    (permission,) = [PermissionId(grant.id) for grant in await granted(coop)]
    await house.withdraw(permission)
    await confirmed(house)
    return permission


async def test_duplicate_stanzas_count_once(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    kinds = ("<command", "<quoalise", "<received")
    for kind in kinds:
        await attacker.meet(kind, "double")
    await shares_and_withdraws(coop, house)
    await everything_arrived(coop, house)
    for action in (*kinds, "node='grant'", "node='withdraw'"):
        assert await attacker.doubled(action), action
    async with coop.store.reading() as connection:
        changes = await gifts.register(connection)
    states = [change.state for change in changes if change.erased is None]
    assert states == [State.GRANTED, State.WITHDRAWN]


async def test_records_replayed_after_a_withdrawal_are_not_stored(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    await shares_and_withdraws(coop, house)
    assert await attacker.replay("<quoalise")
    await everything_arrived(coop, house)
    assert await coop.values([midnight(-n).date() for n in range(5)]) == {}


def account_on_hostile_server(whose: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("places", [whose], indirect=True)


def stanza(kind: str, sender: str, to: str, payload: Element | str) -> str:
    words = payload if isinstance(payload, str) else serialise(payload).decode()
    return f'<{kind} from="{sender}" to="{to}" id="forged" type="{KINDS[kind]}">{words}</{kind}>'


PING = '<ping xmlns="urn:xmpp:ping"/>'
KINDS = {"iq": "set", "message": "normal"}


async def ping(attacker: ServerOwner, house: RunningHome) -> None:
    """Have something answered, so that a stream between the servers is open and was read."""
    # The first one may be lost with a stream that the honest server has just closed.
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answer = await attacker.account.ask(house.address, PING, kind="get")
            if answer.get("type") == "result":
                return


@account_on_hostile_server("somebody else's")
async def test_stanzas_in_the_name_of_another_domain_are_refused(
    attacker: ServerOwner, honest: Prosody, coop: Coop, house: RunningHome
) -> None:
    past = await join(coop, house)
    await wait_for_records(coop, past)
    ((permission, name),) = [(grant.id, grant.series[0]) for grant in await granted(coop)]
    member, node = jid(house), f"{coop.jid}/quoalise"
    for forged in (
        stanza("iq", node, house.address, requests.write(requests.Terminate(permission))),
        stanza("iq", f"{member}/quoalise", node, requests.write(requests.Withdraw(permission))),
        stanza("message", member, coop.jid, data.write(pushed_data(name, PAST, [999_999]))),
    ):
        await ping(attacker, house)
        assert await attacker.spoof(forged, "honest.test")
    await ping(attacker, house)
    await everything_arrived(coop, house)
    assert honest.log().count("claiming to be from honest.test") == 3
    assert await permission_state(coop, permission) is State.GRANTED
    assert await house.state(PermissionId(permission)) is State.GRANTED
    await wait_for_records(coop, past)


async def test_forged_receipts_and_errors_acknowledge_nothing(
    attacker: ServerOwner,
    honest: Prosody,
    file: Store,
    new_account: NewAccount,
    new_node: MakeNode,
) -> None:
    collective = StoringCollective()
    collective.keeps.clear()
    node = await new_node(honest, collective, keep=collective.keep)
    async with running(file, honest, new_account(honest), bare(node)) as house:
        await house.connection.online(DEADLINE_S)
        await shared(house, node)
        await house.keep(hours(midnight(), range(10)))
        async with asyncio.timeout(DEADLINE_S):
            await collective.came.wait()
        (stanza_id,) = await on_its_way(house)
        received = f'<received xmlns="urn:xmpp:receipts" id="{stanza_id}"/>'
        error = f'id="{stanza_id}" type="error"><error type="cancel"/>'
        for forged in (
            f'<message to="{house.address}">{received}</message>',
            f'<message to="{jid(house)}" type="chat">{received}</message>',
            f'<message to="{house.address}" {error}</message>',
            f'<iq to="{house.address}" id="{stanza_id}" type="result">{received}</iq>',
        ):
            attacker.account.send_raw(forged)
        await ping(attacker, house)
        spoofed = stanza("message", bare(node), house.address, received)
        assert await attacker.spoof(spoofed, "honest.test")
        await ping(attacker, house)
        assert await on_its_way(house) == [stanza_id]
        collective.keeps.set()
        await eventually(lambda: on_its_way(house), [].__eq__)


async def on_its_way(house: RunningHome) -> list[str | None]:
    async with house.store.reading() as connection:
        numbers = select(OutboxRow.stanza).where(OutboxRow.stanza.is_not(None))
        return list((await connection.execute(numbers)).scalars())


@account_on_hostile_server("somebody else's")
async def test_a_foreign_account_cannot_deliver_records_of_a_member(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    past = await join(coop, house)
    await wait_for_records(coop, past)
    ((name, *_),) = [grant.series for grant in await granted(coop)]
    words = serialise(data.write(pushed_data(name, PAST, [999_999]))).decode()
    attacker.account.send_raw(f'<message to="{coop.jid}" id="1">{words}</message>')
    await attacker.account.error()
    await wait_for_records(coop, past)


@account_on_hostile_server("the collective's")
async def test_a_late_answer_is_ignored(
    attacker: ServerOwner, coop: Coop, house: RunningHome, caplog: pytest.LogCaptureFixture
) -> None:
    await attacker.meet("type='result'", "hold")
    with pytest.raises(NoAnswer):
        await house.connection.ask(
            f"{coop.jid}/quoalise", requests.write(requests.ListSeries()), 0.5
        )
    # Its answer may come to be held after that.
    await eventually(attacker.release, bool)
    assert await attacker.replay("type='result'")
    assert await house.sharing.asking.list_series(coop.jid) == ()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@account_on_hostile_server("the home's")
async def test_the_homes_own_server_reads_nothing_beyond_the_grant(
    attacker: ServerOwner, coop: Coop, house: RunningHome
) -> None:
    past = await join(coop, house)
    await wait_for_records(coop, past)
    ((permission, name),) = [(grant.id, grant.series[0]) for grant in await granted(coop)]
    node = f"{coop.jid}/quoalise"
    other = replace(name, path=name.path.replace("consumption", "production"))
    refused = await attacker.count("type='error'")
    for request in (
        requests.GetHistory(other, PAST, PAST + 9 * HOUR),
        requests.Subscribe(other),
        requests.GetHistory(name, PAST - timedelta(days=300), PAST - timedelta(days=299)),
        requests.Withdraw(permission),
        requests.Terminate("00000000-0000-4000-8000-000000000000"),
    ):
        await attacker.forge(stanza("iq", node, house.address, requests.write(request)))
        refused += 1
        await eventually(lambda: attacker.count("type='error'"), refused.__le__)
    assert await house.state(PermissionId(permission)) is State.GRANTED
