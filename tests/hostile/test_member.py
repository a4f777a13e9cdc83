"""A member that lies: to the collective that let it in, or as the collective that a home asks.

What it can send is what its own node could be made to send, over an honest network.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4
from xml.etree.ElementTree import Element

import pytest
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from consometers_node.collective.calendar import stretches
from consometers_node.collective.disclosure.sdc_rules import LEAST_MINIMUM, P_PERCENT, Cell
from consometers_node.collective.ingestion.backfill import Backfill
from consometers_node.collective.ingestion.validation import (
    MemberMessage,
    accept,
    reconsider,
    take,
)
from consometers_node.collective.ingestion.write_queue import WriteQueue
from consometers_node.collective.members.members import MemberKind, Members
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.claims import settle
from consometers_node.collective.permissions.member_permissions import MemberPermission, withdraw
from consometers_node.collective.privacy.erasure import erase
from consometers_node.collective.privacy.export import everything
from consometers_node.collective.publication.closing.blocks import Day
from consometers_node.i18n.protocol import sentence
from consometers_node.permission import Identification, State
from consometers_node.series import Interval, Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.claims import Proof, claims_to, contested
from consometers_node.store.collective.member_series import of_member
from consometers_node.store.collective.memberships import groups_and_memberships, series_of_member
from consometers_node.store.collective.set_aside import (
    leave_out,
    of_member as set_aside_of,
    undecided,
)
from consometers_node.store.collective.tables import DeviceClaimRow, SetAsideRow
from consometers_node.store.series import blocks
from consometers_node.wire import write_need
from consometers_quoalise import (
    Data,
    Direction,
    Duration,
    Erased,
    Listed,
    Malformed,
    Node,
    NotAuthorized,
    Number,
    QuoaliseError,
    Receipt,
    Records,
    SeriesPath,
    UpstreamError,
    answers,
    describe,
    requests,
    stanza_errors,
)
from consometers_quoalise.elements.markup import LANG, serialise, tag
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.records import data, metadata
from consometers_quoalise.records.identifier import device as named, organisation, series
from consometers_quoalise.records.senml import SENML
from consometers_quoalise_network import Asking
from demo.servers.prosody import Prosody
from packages.quoalise.tests.samples import EXAMPLE, PERMISSION, element
from testing.clocks import Hands, confirmed
from testing.collectives.members import AT, ZONE, EmptyMember, join, permission
from testing.collectives.records import pushed_data
from testing.collectives.running import cooperating
from testing.homes.data_needs import NEED, now
from testing.xmpp.fixtures import MakeNode, MakePlain, NewAccount
from testing.xmpp.plain_peer import COMMAND

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 6, 10, tzinfo=UTC)
METER = series(organisation("liar"), Direction.CONSUMPTION)
LONG = 180_000 * "a"
METADATA = [tag(metadata.NAMESPACE, name) for name in ("device", "identifier", "measurement")]
MOST_KEPT = 30_000
"""Characters: the longest that is read of any, and the words around it."""


def _read_error(sent: Element) -> object:
    error = stanza_errors.read(sent)
    return sentence(error), vars(error)


# Wrong or far too long ids of permissions

NO_IDS = [
    "../../settings",
    "..",
    "a/b",
    "a\\b",
    "%2e%2e%2f",
    "2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d/../x",
    "2F6C1F0A-52B7-4C39-9D0E-6A1B5F8E7C3D",
    "2f6c1f0a52b74c399d0e6a1b5f8e7c3d",
    "２f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d",
    "con",
    LONG,
]


@pytest.mark.parametrize("id", NO_IDS, ids=range(len(NO_IDS)))
def test_invalid_ids_of_permissions_are_malformed(id: str) -> None:
    grant = requests.write(requests.Grant(PERMISSION))
    permission = grant[0]
    permission.set("id", id)
    receipt = permissions_xml.write_receipt(RECEIPT)
    receipt.set("permission", id)
    for read in (
        lambda: requests.read(grant),
        lambda: requests.read(requests.write(requests.Withdraw(id))),
        lambda: requests.read(requests.write(requests.Terminate(id))),
        lambda: permissions_xml.read_receipt(receipt),
    ):
        with pytest.raises(Malformed) as refused:
            read()
        assert len(sentence(refused.value).say("fr")) < 300


RECEIPT = Receipt(
    permission=PERMISSION.id,
    state=State.WITHDRAWN,
    time=datetime(2027, 3, 1, 9, tzinfo=UTC),
    erased=(Erased(METER, 12),),
)
SENT: dict[str, tuple[Element, Callable[[Element], object]]] = {
    "a permission": (
        permissions_xml.write_permission(PERMISSION),
        permissions_xml.read_permission,
    ),
    "data needs": (
        permissions_xml.write_data_needs([write_need(NEED)]),
        permissions_xml.read_data_needs,
    ),
    "a receipt": (permissions_xml.write_receipt(RECEIPT), permissions_xml.read_receipt),
    "records": (element(EXAMPLE), data.read),
    "a withdrawal": (requests.write(requests.Withdraw(PERMISSION.id)), requests.read),
    "a question": (requests.write(requests.GetHistory(METER, FIRST, FIRST + HOUR)), requests.read),
    "series": (answers.listed([Listed(series=METER, unit="W")]), answers.read_listed),
    "an invitation": (requests.write(requests.GetDataNeeds("a-token")), requests.read),
    "an error": (stanza_errors.write(UpstreamError("issuer", "code")), _read_error),
}
"""Whatever of a peer is kept, as it comes, and who reads it."""


def _places(sent: Element) -> Iterator[tuple[Element, str | None]]:
    """Yield each attribute of an element and of those in it, and with None what stands in it."""
    for inside in sent.iter():
        yield from ((inside, name) for name in inside.attrib)
        yield inside, None


def _outcome(read: Callable[[Element], object], sent: Element) -> str:
    """Return what is read of an element, or why it is refused."""
    try:
        return repr(read(sent))
    except QuoaliseError as refusal:
        return repr(sentence(refusal))


@pytest.mark.parametrize("kind", SENT)
def test_readers_keep_no_field_of_180_kb(kind: str) -> None:
    sent, read = SENT[kind]
    read(sent)
    for position, (_, name) in enumerate(_places(sent)):
        changed = deepcopy(sent)
        inside, _ = list(_places(changed))[position]
        if name is None:
            inside.text = LONG
        else:
            inside.set(name, LONG)
        assert len(_outcome(read, changed)) < MOST_KEPT, (inside.tag, name)


@pytest.mark.parametrize("kind", SENT)
def test_readers_do_not_keep_3000_copies_of_a_field(kind: str) -> None:
    sent, read = SENT[kind]
    # Of records, 4,000 are few; what metadata has twice is passed on, and kept by nobody.
    repeatable = [
        (position, inside)
        for position, inside in enumerate(sent.iter())
        if inside is not sent and inside.tag != SENML and inside.tag not in METADATA
    ]
    assert repeatable
    for position, inside in repeatable:
        changed = deepcopy(sent)
        parent, child = next(
            (parent, child)
            for parent in changed.iter()
            for child in parent
            if child is list(changed.iter())[position]
        )
        for copy in range(3_000):
            another = deepcopy(child)
            if LANG in another.attrib:
                another.set(LANG, f"x-{copy}")
            parent.append(another)
        assert len(_outcome(read, changed)) < MOST_KEPT, inside.tag


@pytest.mark.parametrize("direction", [Direction.CONSUMPTION, Direction.PRODUCTION])
async def test_records_outside_the_requested_range_are_dropped_and_counted(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, direction: Direction
) -> None:
    """As the proxies in front of the network's operator do, which answer whole days of Paris."""
    liar, asker = await new_plain(server), await new_node(server)
    name = series(organisation("liar"), direction)
    first, last = int(FIRST.timestamp()), int((FIRST + 3 * HOUR).timestamp())
    times = range(first - 36000, last + 36000, 3600)
    values: dict[Number, Number] = dict.fromkeys(times, 500)
    whole_days = Data(describe(name, Duration(seconds=3600)), (Records(str(name), "W", values),))
    answer = answers.completed(Node.GET_HISTORY, payload=data.write(whole_days))

    def respond(stanza: StanzaBase) -> None:
        to, iq_id = stanza["from"], stanza["id"]
        payload = serialise(answer).decode()
        liar.send_raw(f'<iq type="result" to="{to}" id="{iq_id}">{payload}</iq>')

    liar.register_handler(Callback("asked", MatchXPath(f"{{jabber:client}}iq/{COMMAND}"), respond))
    peer = liar.boundjid.full
    pages = [page async for page in asker.asking.history(peer, name, FIRST, FIRST + 3 * HOUR)]
    assert [dict(records.values) for page in pages for records in page.records] == [
        dict.fromkeys(range(first, last, 3600), 500)
    ]
    assert asker.asking.outside == 20


# Who names a neighbour's delivery point, on both databases

POINT = "urn:dev:prm:30001610071843"
OTHERS_POINT = "urn:dev:prm:30001610071850"
BY_POINT = replace(NEED, id="by-point", identification=Identification.DELIVERY_POINT)
PSEUDONYM = "urn:dev:org:60060-75vdklhr6srpcaq5xexikc5apc"
DAY = AT.replace(hour=0)
TODAY = DAY.date()


async def _join(
    store: Store,
    name: str,
    device: str,
    *directions: Direction,
    kva: int | None = None,
    at: datetime = AT,
) -> MemberPermission:
    """Admit a member that shares what it says it draws at a device, or feeds in.

    `kva` is the subscribed power that it says. Who joined so before sends its permission again.
    """
    names = [series(named(device), way) for way in directions or (Direction.CONSUMPTION,)]
    need = BY_POINT if "prm" in device else NEED
    powers = {} if kva is None else dict.fromkeys(names, kva)
    async with store.writing() as connection:
        await needs.offer(connection, BY_POINT, at)
        granted = permission(*names, id=f"{name} {device}", need=need, at=at, subscribed_kva=powers)
        return (await join(connection, name, granted, at))[1]


async def _deliver(
    store: Store, name: str, device: str, start: datetime, values: Sequence[Number]
) -> None:
    data = pushed_data(series(named(device), Direction.CONSUMPTION), start, values)
    async with store.writing() as connection:
        at = start + len(values) * HOUR
        refusals = await take(
            connection, [MemberMessage(f"{name}@example.org", data)], ZONE.key, at
        )
    assert refusals == [None], refusals


async def _stored(store: Store, day: date = TODAY) -> dict[str, dict[str, list[int]]]:
    """Return each member's stored values of a day, by device."""
    by_member: dict[str, dict[str, list[int]]] = {}
    async with store.reading() as connection:
        for member in await Members(connection, ZONE).all():
            for series_id, series_read in (await series_of_member(connection, member.id)).items():
                for block in await blocks(connection, series_id, series_read, Range.of_day(day)):
                    values = [value for value in block.values if value is not None]
                    by_member.setdefault(str(member.jid), {})[series_read.device] = values
    return by_member


async def _sums(store: Store, day: date = TODAY) -> tuple[int, int]:
    """Return what all have together on a UTC day, in Wh, and how many count at once at most."""
    async with store.reading() as connection:
        read = await Day.read(connection, Direction.CONSUMPTION, day, Interval.PT1H)
        month = [
            (stretch, (await groups_and_memberships(connection, stretch.month, now()))[1])
            for stretch in stretches(ZONE.key, Interval.PT1H, day)
        ]
    sums = read.intervals(month)
    cells = [cell for interval in sums for cell in interval.cells.values()]
    energy = sum(cell.watt_minutes for cell in cells)
    return energy // 60, max(
        sum(cell.homes for cell in interval.cells.values()) for interval in sums
    )


@pytest.mark.parametrize("device", [POINT, PSEUDONYM])
async def test_no_answer_reveals_an_earlier_claim_to_a_device(store: Store, device: str) -> None:
    first = await _join(store, "neighbour", device)
    liar, alone = await _join(store, "liar", device), await _join(store, "alone", OTHERS_POINT)
    for taken in (first, liar, alone):
        assert (taken.state, taken.notified_at, len(taken.series)) == (State.GRANTED, None, 1)
    for name in ("liar", "alone"):
        async with store.reading() as connection:
            member = await Members(connection, ZONE).by_jid(f"{name}@example.org")
            assert member is not None
            (asked,) = await of_member(connection, f"{name}@example.org")
            assert (asked.problem, asked.series) == (None, None)
    await _deliver(store, "liar", device, DAY, [1, 2])
    await _deliver(store, "alone", OTHERS_POINT, DAY, [1, 2])


async def test_a_grant_over_the_network_gets_the_same_answer_for_any_meter(
    file: Store, other_server: Prosody, new_account: NewAccount, new_node: MakeNode, tmp_path: Path
) -> None:
    heard = []
    async with cooperating(file, other_server, new_account(other_server), tmp_path) as coop:
        for device in (POINT, POINT, OTHERS_POINT):
            node, token = await new_node(other_server), await coop.invite(BY_POINT)
            await node.asking.get_data_needs(coop.jid, token)
            name = series(named(device), Direction.CONSUMPTION)
            granted = permission(name, id=str(uuid4()), need=BY_POINT, at=now())
            receipt = await node.asking.grant(coop.jid, granted)
            with pytest.raises(NotAuthorized) as refusal:
                await node.asking.get_history(coop.jid, name)
            listed = await node.asking.list_series(coop.jid)
            heard.append(
                (replace(receipt, permission="", time=AT), str(sentence(refusal.value)), listed)
            )
    assert heard[0] == heard[1] == heard[2]
    assert heard[0][0].state is State.GRANTED


@pytest.mark.parametrize("device", [POINT, PSEUDONYM])
async def test_a_false_claim_to_a_meter_does_not_exclude_its_owner(
    store: Store, device: str
) -> None:
    await _join(store, "liar", device)
    await _deliver(store, "liar", device, DAY, [11_000, 11_000])
    await _join(store, "neighbour", device)
    await _deliver(store, "neighbour", device, DAY, [500, 600])
    assert await _stored(store) == {
        "liar@example.org": {device: [11_000, 11_000]},
        "neighbour@example.org": {device: [500, 600]},
    }


@pytest.mark.parametrize("device", [POINT, PSEUDONYM])
async def test_two_claims_to_a_meter_have_separate_records_and_count_once(
    store: Store, device: str
) -> None:
    await _join(store, "neighbour", device)
    await _deliver(store, "neighbour", device, DAY, [500, 600])
    await _join(store, "liar", device)
    await _deliver(store, "liar", device, DAY, [11_000, 1, 2])
    await _deliver(store, "neighbour", device, DAY + 2 * HOUR, [700])
    assert await _stored(store) == {
        "neighbour@example.org": {device: [500, 600, 700]},
        "liar@example.org": {device: [11_000, 1, 2]},
    }
    assert await _sums(store) == (1_800, 1)


async def test_the_database_refuses_shared_series_and_double_counts(
    store: Store,
) -> None:
    await _join(store, "neighbour", POINT)
    await _deliver(store, "neighbour", POINT, DAY, [500])
    await _join(store, "liar", POINT)
    for statement in (
        "UPDATE member_permission_series SET series_id = (SELECT max(id) FROM series)",
        "UPDATE device_claim SET counts = 1",
        (
            "INSERT INTO member_permission_series "
            "(permission_id, identifier, series_id) SELECT p.id, 'x', series.id"
            " FROM member_permission p, series"
        ),
    ):
        with pytest.raises(IntegrityError):
            async with store.writing() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize("erases_first", [True, False])
async def test_an_administrator_assigns_a_meter_and_its_owner_counts(
    store: Store, erases_first: bool
) -> None:
    early = await _join(store, "early", POINT)
    await _deliver(store, "early", POINT, DAY - 24 * HOUR, 48 * [100])
    late = await _join(store, "late", POINT)
    await _deliver(store, "late", POINT, DAY - 24 * HOUR, 48 * [1_000])
    days = DAY.date() - timedelta(days=1), DAY.date()
    assert [await _sums(store, day) for day in days] == [(2_400, 1), (2_400, 1)]
    async with store.writing() as connection:
        assert await contested(connection) == {early.member, late.member}
        await settle(connection, POINT, late.member, Proof.METER, AT)
        assert await contested(connection) == set()
    assert [await _sums(store, day) for day in days] == [(24_000, 1), (24_000, 1)]
    gone = early if erases_first else late
    async with store.writing() as connection:
        members = Members(connection, ZONE)
        ended = await withdraw(members, gone.member, gone.id, AT, erase=True)
    await erase(store, ZONE, ended, AT)
    assert [await _sums(store, day) for day in days] == 2 * [
        (24_000, 1) if erases_first else (2_400, 1)
    ]
    async with store.reading() as connection:
        stays = late if erases_first else early
        (claim,) = await claims_to(connection, POINT)
        assert (claim.member, claim.counts) == (stays.member, True)
    assert list(await _stored(store)) == [f"{'late' if erases_first else 'early'}@example.org"]


async def test_erasing_a_false_claim_leaves_the_records_of_the_owner(
    store: Store,
) -> None:
    await _join(store, "neighbour", POINT, Direction.CONSUMPTION, Direction.PRODUCTION)
    await _deliver(store, "neighbour", POINT, DAY, [500, 600])
    liar = await _join(store, "liar", POINT)
    await _deliver(store, "liar", POINT, DAY, [1, 2])
    async with store.writing() as connection:
        ended = await withdraw(Members(connection, ZONE), liar.member, liar.id, AT, erase=True)
    erased = await erase(store, ZONE, ended, AT)
    assert [each.records for each in erased] == [2]
    assert await _stored(store) == {"neighbour@example.org": {POINT: [500, 600]}}
    assert await _sums(store) == (1_100, 1)


# Members that deliver more than a home draws


UNSAID_W, CEILING_W = 12_000, 36_000
NEXT = DAY + 24 * HOUR
"""The day after the first records of a street."""


def _home(home: int) -> str:
    return f"urn:dev:org:60060-h{home}"


async def _street(store: Store, homes: int = 11, watts: int = 500, kva: int | None = None) -> None:
    """Admit homes that each draw as much for a day."""
    for home in range(homes):
        await _join(store, f"h{home}", _home(home), kva=kva)
        await _deliver(store, f"h{home}", _home(home), DAY, 24 * [watts])


async def _set_aside(store: Store, name: str = "h0") -> list[int]:
    async with store.reading() as connection:
        member = await Members(connection, ZONE).named(f"{name}@example.org")
        return [record.record.value for record in await set_aside_of(connection, member.id)]


async def test_an_implausible_record_is_set_aside_and_the_others_are_summed(
    store: Store,
) -> None:
    await _street(store)
    for home in range(1, 11):
        await _deliver(store, f"h{home}", _home(home), NEXT, [500, 500, 500])
    await _deliver(store, "h0", _home(0), NEXT, [510, 29_000, 490])
    assert await _set_aside(store) == [29_000]
    assert (await _stored(store, NEXT.date()))["h0@example.org"][_home(0)] == [510, 490]
    assert await _sums(store, NEXT.date()) == (30 * 500 + 1_000, 11)
    async with store.reading() as connection:
        assert list((await undecided(connection)).values()) == [1]


async def test_a_home_in_its_first_month_is_believed_up_to_its_subscribed_power(
    store: Store,
) -> None:
    await _join(store, "h0", _home(0), kva=6)
    await _deliver(store, "h0", _home(0), DAY, [7_800, 7_801, CEILING_W])
    assert await _set_aside(store) == [7_801, CEILING_W]
    assert await _sums(store) == (7_800, 1)


async def test_the_plausible_power_of_a_home_does_not_rise_with_its_records(store: Store) -> None:
    await _street(store, 1, 5_000)
    await _deliver(store, "h0", _home(0), NEXT, [UNSAID_W, UNSAID_W + 1, CEILING_W])
    assert await _set_aside(store) == [UNSAID_W + 1, CEILING_W]


@pytest.mark.parametrize(
    ("kva", "value"),
    [
        pytest.param(3, 3_900, id="overruns 3 kVA by as much as no meter cuts off"),
        pytest.param(6, 7_400, id="charges a car"),
        pytest.param(None, UNSAID_W, id="heats a house that stood empty, and says no power"),
        pytest.param(18, 22_000, id="charges at three phases"),
        pytest.param(30, CEILING_W, id="overruns 30 kVA up to the most that a home may draw"),
        pytest.param(36, CEILING_W, id="has a farm's contract"),
    ],
)
async def test_the_first_peak_of_an_honest_home_is_stored(
    store: Store, kva: int | None, value: int
) -> None:
    await _street(store, 1, 0, kva)
    await _deliver(store, "h0", _home(0), NEXT, [value, value + 1])
    assert await _set_aside(store) == [value + 1] * (value not in (7_400, 22_000))
    assert (await _stored(store, NEXT.date()))["h0@example.org"][_home(0)][0] == value


async def test_subscribed_power_bounds_nothing_that_panels_make(store: Store) -> None:
    name = series(named(_home(0)), Direction.PRODUCTION)
    await _join(store, "h0", _home(0), Direction.PRODUCTION, kva=36)
    data = pushed_data(name, DAY, [UNSAID_W, UNSAID_W + 1])
    async with store.writing() as connection:
        message = MemberMessage("h0@example.org", data)
        assert await take(connection, [message], ZONE.key, AT) == [None]
    assert await _set_aside(store) == [UNSAID_W + 1]


async def test_a_greater_subscribed_power_lets_in_what_was_set_aside(store: Store) -> None:
    taken = await _join(store, "h0", _home(0), kva=6)
    await _deliver(store, "h0", _home(0), DAY, [500, 9_000, 20_000, 30_000])
    async with store.writing() as connection:
        member = await Members(connection, ZONE).named("h0@example.org")
        assert await reconsider(connection, member, AT) == 0
    again = await _join(store, "h0", _home(0), kva=9)
    assert (again.id, list(again.subscribed_kva.values())) == (taken.id, [9])
    async with store.writing() as connection:
        assert await reconsider(connection, member, AT) == 1
    assert await _set_aside(store) == [20_000, 30_000]
    assert await _sums(store) == (9_500, 1)
    # What an administrator left out stays out.
    async with store.writing() as connection:
        await leave_out(connection, member.id, AT)
    await _join(store, "h0", _home(0), kva=36)
    async with store.writing() as connection:
        assert await reconsider(connection, member, AT) == 0
    assert await _set_aside(store) == [20_000, 30_000]


@pytest.mark.parametrize(
    ("kva", "homes"), [(None, 20), (3, 8), (6, 14), (9, 20), (12, 26), (15, 32), (36, 56)]
)
async def test_a_liar_suppresses_no_hour_of_so_many_homes_of_200_watts(
    store: Store, kva: int | None, homes: int
) -> None:
    await _join(store, "h0", _home(0), kva=kva)
    lies = [3_900, 7_800, 11_700, 12_000, 15_600, 19_500, 36_000, 39_000]
    await _deliver(store, "h0", _home(0), DAY, lies)
    largest = max((await _stored(store))["h0@example.org"][_home(0)])

    def is_suppressed(homes: int) -> bool:
        cell = Cell.of([largest, *((homes - 1) * [200])], range(1, homes + 1))
        return cell.suppression(LEAST_MINIMUM, lambda _: 100 * P_PERCENT[-1]) is not None

    assert is_suppressed(homes - 1)
    assert not is_suppressed(homes)


@pytest.mark.parametrize(
    ("kind", "most"), [(MemberKind.HOME, UNSAID_W), (MemberKind.SITE, 1_000_000)]
)
async def test_records_above_the_ceiling_are_set_aside_from_the_first_one(
    store: Store, kind: MemberKind, most: int
) -> None:
    async with store.writing() as connection:
        await Members(connection, ZONE).admit("h0@example.org", AT, kind=kind)
    await _join(store, "h0", _home(0))
    lies = [most + 1, 1_000_001, 10**9, 2**53]
    await _deliver(store, "h0", _home(0), DAY, [most, *lies])
    assert await _set_aside(store) == lies
    assert await _sums(store) == (most, 1)
    kwh = Data(
        describe(series(named(_home(0)), Direction.CONSUMPTION), Duration(seconds=3600)),
        (Records(f"{_home(0)}_consumption/power/active/raw", "kW", {int(DAY.timestamp()): 2**53}),),
    )
    async with store.writing() as connection:
        assert await take(connection, [MemberMessage("h0@example.org", kwh)], ZONE.key, AT) == [
            None
        ]
    assert await _set_aside(store) == [2**53 * 1_000, *lies]
    assert await _sums(store) == (most, 1)


async def test_daily_energy_is_bounded_by_its_mean_power(store: Store) -> None:
    await _join(store, "h0", _home(0))
    daily = series(named(_home(1)), Direction.CONSUMPTION, SeriesPath.ENERGY_DAILY)
    async with store.writing() as connection:
        granted = permission(daily, id="daily")
        await join(connection, "h1", granted)
        midnight = datetime(2026, 6, 7, 22, tzinfo=UTC)
        data = pushed_data(daily, midnight, [288_000, 288_025], interval=24 * HOUR, unit="Wh")
        assert await take(connection, [MemberMessage("h1@example.org", data)], ZONE.key, AT) == [
            None
        ]
    assert await _set_aside(store, "h1") == [288_025]


async def test_a_thousand_implausible_records_are_stored_and_all_acknowledged(store: Store) -> None:
    await _street(store, 1)
    for start in range(0, 700, 100):
        await _deliver(store, "h0", _home(0), NEXT - 700 * HOUR + start * HOUR, 100 * [10**6])
    assert len(await _set_aside(store)) == 700
    for start in range(0, 1_000, 100):
        await _deliver(store, "h0", _home(0), NEXT + start * HOUR, 100 * [10**6 + start])
    assert len(await _set_aside(store)) == 1_000
    await _deliver(store, "h0", _home(0), NEXT, [2 * 10**6])
    assert len(await _set_aside(store)) == 1_000
    assert 2 * 10**6 in await _set_aside(store)


async def test_a_record_set_aside_is_stored_once_corrected_or_accepted(
    store: Store,
) -> None:
    await _street(store, 1)
    await _deliver(store, "h0", _home(0), NEXT, [29_000, 30_000, 10**6, 500])
    await _deliver(store, "h0", _home(0), NEXT, [480])
    assert await _set_aside(store) == [30_000, 10**6]
    async with store.writing() as connection:
        members = Members(connection, ZONE)
        member = await members.named("h0@example.org")
        assert await accept(connection, member, 40_000, AT) == 1
        assert await leave_out(connection, member.id, AT) == 1
        assert not await undecided(connection)
    assert (await _stored(store, NEXT.date()))["h0@example.org"][_home(0)] == [480, 30_000, 500]
    assert await _sums(store, NEXT.date()) == (480 + 30_000 + 500, 1)
    # It counts from now on, and its omitted values stay out.
    await _deliver(store, "h0", _home(0), NEXT + 2 * HOUR, [10**6, 500, 39_000])
    assert await _set_aside(store) == [10**6]
    async with store.reading() as connection:
        assert not await undecided(connection)


async def test_an_implausible_record_replaces_no_stored_one(store: Store) -> None:
    await _street(store, 1)
    await _deliver(store, "h0", _home(0), NEXT, [500])
    await _deliver(store, "h0", _home(0), NEXT, [10**6])
    assert (await _stored(store, NEXT.date()))["h0@example.org"][_home(0)] == [500]
    assert await _set_aside(store) == [10**6]


async def test_quarantined_records_are_exported_and_erased_with_their_member(store: Store) -> None:
    taken = await _join(store, "h0", _home(0))
    await _deliver(store, "h0", _home(0), DAY, [10**6 + 17])
    async with store.reading() as connection:
        member = await Members(connection, ZONE).named("h0@example.org")
        held: dict[str, Any] = await everything(connection, member)
        assert [row["value"] for row in held["set_aside"]] == [10**6 + 17]
        assert [row["device"] for row in held["device_claim"]] == [_home(0)]
    async with store.writing() as connection:
        ended = await withdraw(Members(connection, ZONE), member.id, taken.id, AT, erase=True)
    await erase(store, ZONE, ended, AT)
    async with store.reading() as connection:
        for table in (SetAsideRow, DeviceClaimRow):
            count = select(func.count()).select_from(table)
            assert (await connection.execute(count)).scalar_one() == 0


async def test_quarantined_records_are_not_requested_each_day(store: Store) -> None:
    name = series(named(_home(0)), Direction.CONSUMPTION)
    granted = permission(name, id="h0", records_from=DAY - 24 * HOUR)
    async with store.writing() as connection:
        await join(connection, "h0", granted)
    await _deliver(store, "h0", _home(0), DAY - 24 * HOUR, [*(23 * [500]), 10**6, *(12 * [500])])
    hands, home, queue = Hands(AT), EmptyMember(), WriteQueue(store, ZONE.key, lambda _: None)
    backfill = Backfill(
        store, cast("Asking", home), queue, Changes(), clock=await confirmed(store, hands)
    )
    await backfill._gather("h0@example.org")
    assert home.requested == [Range(DAY - 24 * HOUR, AT)]
    hands.go_on(HOUR)
    await backfill._gather("h0@example.org")
    assert home.requested == [Range(DAY - 24 * HOUR, AT)]
    hands.go_on(2 * HOUR)
    await backfill._gather("h0@example.org")
    assert home.requested[1:] == [Range(DAY, AT + 3 * HOUR)]
