"""Whatever members tell, correct and take back, wherever they move, sums are what it adds up to."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import struct
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings, strategies as st
from sqlalchemy import delete, event, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.errors import NoSite
from consometers_node.collective.members import Members
from consometers_node.collective.sites import Description
from consometers_node.collective.tally import (
    Change,
    compositions,
    moved,
    record,
)
from consometers_node.series import Block, Device, Direction, Interval, Quantity, Series
from consometers_node.store import SeriesId, Store
from consometers_node.store.collective_tables import (
    GroupId,
    InGroupRow,
    MemberDayRow,
    MemberId,
    SumBlockRow,
)
from consometers_node.store.member_counts import put_count
from consometers_node.store.series import put_block
from consometers_node.store.sums import SumKey, packed_sums
from consometers_node.store.tables import Base

from ..conftest import Place
from .erasing import erase
from .scratch import Scratch, Someone

AT = datetime(2026, 4, 2, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")
DAYS = [
    date(2026, 3, 28),
    date(2026, 3, 29),
    date(2026, 3, 30),
    date(2026, 3, 31),
    date(2026, 4, 1),
]
"""Clocks are put forward on the 29th, and a month turns."""
MONTHS = [date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)]
GROUPS = [GroupId(101), GroupId(102)]
KINDS = ["home", "home", "home", "site", "collective"]


def series(member: int, name: str, interval: Interval, direction: Direction) -> Series:
    quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
    device = Device(f"urn:dev:org:60060-{member}{name}")
    return Series(device, direction, quantity, interval, ZONE.key)


def all_series(member: int) -> list[Series]:
    """A meter at three intervals, panels twice, or a group within another one."""
    consumption, production = Direction.CONSUMPTION, Direction.PRODUCTION
    return [
        series(member, "", Interval.PT30M, consumption),
        series(member, "", Interval.PT1H, consumption),
        series(member, "", Interval.P1D, consumption),
        series(member, "", Interval.PT1H, production),
        series(member, "-lanester", Interval.PT1H, production),
        series(member, "-lorient", Interval.PT30M, production),
    ]


@dataclass(frozen=True)
class Tell:
    """A member tells of a day, all but some of its records."""

    member: int
    which: int
    day: date
    value: int
    missing: frozenset[int]
    count: int

    def block(self, of: Series) -> Block:
        places = range(len(of.starts(self.day)))
        gone = {hole % len(places) for hole in self.missing} if places else set()
        values = [None if n in gone else self.value + n % 3 for n in places]
        return Block(of, self.day, tuple(values))

    def counts(self, of: Series) -> Block:
        places = range(len(of.starts(self.day)))
        return Block(of, self.day, tuple(self.count + n % 2 for n in places))


@dataclass(frozen=True)
class Move:
    """A member counts elsewhere, or is of another kind."""

    member: int
    kind: str
    stays: tuple[tuple[GroupId, date, date | None], ...]


@dataclass(frozen=True)
class Erase:
    """All that a member told in some series goes."""

    member: int
    which: frozenset[int]


type Step = tuple[Tell, ...] | Move | Erase

MEMBER = st.integers(0, len(KINDS) - 1)
TELL = st.builds(
    Tell,
    MEMBER,
    st.integers(0, 5),
    st.sampled_from(DAYS),
    st.integers(0, 3),
    st.frozensets(st.integers(0, 50), max_size=2),
    st.integers(0, 3),
)
STAY = st.sampled_from(
    [(group, since, None) for group in GROUPS for since in MONTHS[:2]]
    + [(group, MONTHS[0], MONTHS[1]) for group in GROUPS]
)
MOVE = st.builds(
    Move,
    MEMBER,
    st.sampled_from(["home", "site"]),
    st.lists(STAY, max_size=2, unique_by=lambda stay: stay[0]).map(tuple),
)
ERASE = st.builds(Erase, MEMBER, st.frozensets(st.integers(0, 5), min_size=1))
STEPS = st.lists(
    st.lists(TELL, min_size=1, max_size=6).map(tuple) | MOVE | ERASE, min_size=1, max_size=6
)


class Done(Exception):
    """Nothing is to be kept."""


class Collective:
    """Members who tell this collective, in the database and from scratch."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.scratch = Scratch(ZONE)
        self._numbers: dict[Series, SeriesId] = {}

    async def found(self) -> None:
        """Make the members, who all count in the first group."""
        rows: dict[str, list[dict[str, object]]] = {
            "own_need": [{"need": "sums", "version": 1, "body": "", "offered_at": AT}],
            "member_group": [{"id": group, "kind": "area", "name": f"{group}"} for group in GROUPS],
        }
        for number, kind in enumerate(KINDS, 1):
            for table, row in self._member(MemberId(number), kind):
                rows.setdefault(table, []).append(row)
        for table, some in rows.items():
            await self._connection.execute(insert(Base.metadata.tables[table]), some)

    def _member(self, member: MemberId, kind: str) -> Iterator[tuple[str, dict[str, object]]]:
        self.scratch.members[member] = Someone(kind, {(GROUPS[0], MONTHS[0]): None})
        yield "member", {"id": member, "pseudonym": f"{member}", "kind": kind, "joined_at": AT}
        yield "in_group", {"member_id": member, "group_id": GROUPS[0], "from_month": MONTHS[0]}
        yield (
            "given",
            {
                "id": f"{member}",
                "member_id": member,
                "need": "sums",
                "version": 1,
                "state": "granted",
                "interval_minutes": Interval.PT5M,
                "identification": "pseudonym",
                "records_from": AT,
                "valid_from": AT,
                "valid_until": AT + timedelta(days=365),
                "shown_sha256": 64 * "a",
                "shown_language": "fr",
            },
        )
        for place, one in enumerate(all_series(member)):
            number = self._numbers[one] = SeriesId(10 * member + place)
            yield (
                "series",
                {
                    "id": number,
                    "device": one.device,
                    "direction": one.direction,
                    "quantity": one.quantity,
                    "interval_minutes": one.interval,
                    "time_zone": one.time_zone,
                    "member_id": member,
                },
            )
            yield (
                "given_series",
                {"given_id": f"{member}", "identifier": f"{place}", "series_id": number},
            )

    async def _write_stays(self, member: MemberId) -> None:
        await self._connection.execute(delete(InGroupRow).where(InGroupRow.member_id == member))
        for (group, since), until in self.scratch.members[member].stays.items():
            stay = {"member_id": member, "group_id": group, "from_month": since}
            await self._connection.execute(insert(InGroupRow).values(stay | {"until_month": until}))

    async def step(self, step: Step, *, blocks_first: bool) -> None:
        match step:
            case Move():
                await self._move(step)
            case Erase():
                await self._erase(step)
            case _:
                changes = [self._tell(tell) for tell in step]
                if blocks_first:
                    await self._put(changes)
                await record(self._connection, changes, AT)
                if not blocks_first:
                    await self._put(changes)

    def _tell(self, tell: Tell) -> Change:
        member = MemberId(tell.member + 1)
        someone = self.scratch.members[member]
        of = all_series(member)[tell.which]
        key = of, tell.day
        before, counted = someone.blocks.get(key), someone.counts.get(key)
        block, counts = tell.block(of), tell.counts(of)
        someone.blocks[key] = block.values
        is_sum = someone.kind == "collective"
        if is_sum:
            someone.counts[key] = counts.values
        return Change(
            member=member,
            series=of,
            day=tell.day,
            before=None if before is None else Block(of, tell.day, before),
            after=block,
            members_before=None if counted is None else Block(of, tell.day, counted),
            members_after=counts if is_sum else None,
        )

    async def _put(self, changes: Sequence[Change]) -> None:
        for change in changes:
            number = self._numbers[change.series]
            assert change.after is not None
            await put_block(self._connection, number, change.after, AT)
            if change.members_after is not None:
                await put_count(self._connection, number, change.members_after)

    async def _move(self, move: Move) -> None:
        member = MemberId(move.member + 1)
        someone = self.scratch.members[member]
        was = (await compositions(self._connection, [member]))[member]
        someone.stays = {(group, since): until for group, since, until in move.stays}
        members = Members(self._connection, ZONE)
        try:
            if move.kind == "site":
                await members.present(member, f"{member}", Description())
            else:
                await members.hide(member)
        except NoSite:
            assert someone.kind == "collective"
        else:
            someone.kind = move.kind
        await self._write_stays(member)
        await moved(self._connection, member, was, AT)

    async def _erase(self, step: Erase) -> None:
        member = MemberId(step.member + 1)
        someone = self.scratch.members[member]
        gone = [all_series(member)[which] for which in step.which]
        count = sum(1 for of, _ in someone.blocks if of in gone)
        someone.blocks = {key: kept for key, kept in someone.blocks.items() if key[0] not in gone}
        someone.counts = {key: kept for key, kept in someone.counts.items() if key[0] not in gone}
        numbers = [self._numbers[one] for one in gone]
        assert await erase(self._connection, member, numbers, AT) == count

    async def check(self) -> None:
        """Compare every sum and every day of a member."""
        self.scratch.look()
        sums = {}
        for row in await self._connection.execute(select(SumBlockRow.__table__)):
            key = row.group_id, row.direction, row.interval_minutes, row.day, row.kind
            count = len(row.counts) // 4
            sums[key] = tuple(
                list(struct.unpack(f"<{count}{size}", kept))
                for size, kept in (("Q", row.sums), ("I", row.counts), ("Q", row.largest))
            )
        assert sums == self.scratch.sums(GROUPS, DAYS)
        days = {
            (row.member_id, row.direction, row.day): (row.watt_minutes, row.records, row.expected)
            for row in await self._connection.execute(select(MemberDayRow.__table__))
        }
        assert days == self.scratch.days(DAYS)


def whole(member: int, which: int) -> Tell:
    return Tell(member, which, DAYS[0], 0, frozenset(), 0)


# A group within another one, and that one: first the one, then the other, then no longer.
@example(steps=[(whole(4, 5),), (whole(4, 3),)], blocks_first=True)
@example(steps=[(whole(4, 3),), (whole(4, 5),)], blocks_first=True)
@example(steps=[(whole(4, 5), whole(4, 3)), Erase(4, frozenset({3}))], blocks_first=False)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, blocks_first=st.booleans())
async def test_sums_are_what_they_would_be_from_scratch(
    store: Store, steps: list[Step], blocks_first: bool
) -> None:
    with suppress(Done):
        async with store.writing() as connection:
            collective = Collective(connection)
            await collective.found()
            for step in steps:
                await collective.step(step, blocks_first=blocks_first)
            await collective.check()
            raise Done


async def test_a_change_costs_the_same_whatever_is_kept(store: Store) -> None:
    async with store.writing() as connection:
        collective = Collective(connection)
        await collective.found()

        async def tell(*days: date) -> list[tuple[str, int]]:
            """Give the statements that this takes, and how many rows each is of."""
            asked: list[tuple[str, int]] = []

            def hear(*told: object) -> None:
                _, _, statement, parameters, *_ = told
                many = len(parameters) if isinstance(parameters, list) else 1
                asked.append((str(statement), many))

            event.listen(connection.sync_connection, "before_cursor_execute", hear)
            tells = [Tell(who, 1, day, 300, frozenset(), 1) for day in days for who in range(3)]
            await collective.step(tuple(tells), blocks_first=True)
            event.remove(connection.sync_connection, "before_cursor_execute", hear)
            return asked

        await tell(date(2026, 6, 8))
        await tell(date(2026, 6, 9))
        first = await tell(date(2026, 6, 10))
        await tell(*(date(2025, 8, 1) + timedelta(days=n) for n in range(300)))
        assert await tell(date(2026, 6, 11)) == first
        assert len(first) < 30


async def test_changes_at_once_lose_nothing(new_place: Callable[[str], Place]) -> None:
    store = await Store.open(new_place("postgresql"))
    async with store.writing() as connection:
        await Collective(connection).found()
    all_began = asyncio.Barrier(3)

    async def tell(member: MemberId) -> None:
        of = all_series(member)[1]
        block = Block(of, DAYS[0], (10 * member,) * 24)
        change = Change(member=member, series=of, day=DAYS[0], before=None, after=block)
        async with store.writing() as connection:
            await compositions(connection, [member])
            await all_began.wait()
            await record(connection, [change], AT)

    await asyncio.gather(*(tell(MemberId(number)) for number in (1, 2, 3)))
    async with store.reading() as connection:
        key = SumKey(GROUPS[0], Direction.CONSUMPTION, Interval.PT1H, DAYS[0], "home")
        row = (await packed_sums(connection, [key]))[key]
    assert struct.unpack("<24Q", row.sums) == (60 * 60,) * 24
    assert struct.unpack("<24I", row.counts) == (3,) * 24
    assert struct.unpack("<24Q", row.largest) == (30 * 60,) * 24
    await store.close()
