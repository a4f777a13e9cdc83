"""A collective whose members deliver the values of a test, and what it publishes of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.members.sites import Description
from consometers_node.collective.permissions.member_permissions import (
    PermissionActor,
    note,
    withdraw,
)
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.collective.publication.policy import StepChange
from consometers_node.permission import State
from consometers_node.series import (
    Block,
    Device,
    Direction,
    Interval,
    Quantity,
    Range,
    Record,
    Series,
)
from consometers_node.store import SeriesId
from consometers_node.store.collective.groups import GroupKind, all_groups, group_id
from consometers_node.store.collective.publication import (
    ClosedInterval,
    PublishedCell,
    cells,
    closed_intervals,
)
from consometers_node.store.collective.published_series import (
    devices,
    own_series,
    published_records,
)
from consometers_node.store.collective.tables import (
    GroupId,
    MemberId,
    MemberPermissionId,
    PublishedCellRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base
from consometers_node.store.series import MemberCount, add_series, put_blocks, put_counts
from consometers_node.wire import write_need
from consometers_quoalise import SeriesPath
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.permissions_xml import write_data_needs
from consometers_quoalise.records.identifier import device as device_of, series as named_series
from testing.homes.data_needs import NEED

ZONE = "Europe/Paris"
MONTH = date(2026, 7, 1)
DAY = date(2026, 7, 15)
"""Its civil day begins two hours before the UTC day does."""
BEFORE = DAY - timedelta(days=1)
NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
EARLIER = datetime(2026, 6, 1, tzinfo=UTC)
LATER = datetime(2026, 7, 25, tzinfo=UTC)
CONSUMPTION = Direction.CONSUMPTION
HOUR = Interval.PT1H
HOURS_A_DAY = 24
ASKED = serialise(write_data_needs([write_need(replace(NEED, id="sums", version=1))])).decode()
AGREED = Publication(minimum=3)

_ALWAYS = Range(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))

type Value = int | None


@dataclass
class PublishingTown:
    """Everything in one transaction. Values of homes are in W: one for all hours, or one each."""

    connection: AsyncConnection
    publication: Publication = AGREED
    at: datetime = NOON
    opened_at: datetime = EARLIER
    online_since: datetime = EARLIER
    backfilled_until: datetime | None = NOON
    """Up to when the past of members that join has been read in."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    steps: StepChange | None = None
    groups: dict[tuple[str, str], GroupId] = field(default_factory=dict)
    received: dict[tuple[Series, date], Block] = field(default_factory=dict)
    series: dict[MemberId, Series] = field(default_factory=dict)
    numbers: dict[Series, SeriesId] = field(default_factory=dict)

    @property
    def people(self) -> Members:
        return Members(self.connection, ZoneInfo(ZONE))

    async def member(
        self,
        area: str | None = None,
        *,
        kind: str = "home",
        name: str | None = None,
        interval: Interval = HOUR,
        since: date = MONTH,
        until: date | None = None,
        shown_until: datetime = LATER,
    ) -> MemberId:
        """Add a member that counts in everybody's group, its area's and, if a site, its own."""
        number = MemberId(len(self.series) + 1)
        if number == 1:
            await self._add("own_need", need="sums", version=1, body=ASKED, offered_at=NOON)
        await self._join(number, area, since, until, kind=kind, name=name)
        quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
        device = Device(f"urn:dev:org:60060-m{number}")
        series = Series(device, CONSUMPTION, quantity, interval, ZONE)
        self.series[number] = series
        self.numbers[series] = await add_series(self.connection, series, number)
        await self._allow(number, "pseudonym")
        if kind == "site":
            await self.name(number, until=shown_until)
        return number

    async def _join(
        self,
        number: MemberId,
        area: str | None,
        since: date = MONTH,
        until: date | None = None,
        **values: str | None,
    ) -> None:
        row = {"kind": "home", "name": None} | values
        member = {"id": number, "pseudonym": f"p{number}", "area": area, "joined_at": NOON}
        await self._add("member", **member, **row)
        await self.group("all", "")
        wanted = [("area", area) if area else ("rest", "")]
        wanted += [("site", row["name"])] if row["kind"] == "site" and row["name"] else []
        for group in wanted:
            self.groups[group] = await self.group(*group)
            await self._add(
                "group_membership",
                member_id=number,
                group_id=self.groups[group],
                from_month=since,
                until_month=until,
            )

    async def name(
        self, member: MemberId, *, interval: Interval | None = None, until: datetime = LATER
    ) -> None:
        """Grant to be shown by name, as a member."""
        await self._allow(member, "name", interval, until)

    async def unname(self, member: MemberId) -> None:
        """Withdraw that permission."""
        number = MemberPermissionId(f"{member} name")
        await withdraw(self.people, member, number, self.at, erase=False)

    async def _allow(
        self,
        member: MemberId,
        identification: str,
        interval: Interval | None = None,
        until: datetime = LATER,
    ) -> None:
        series = self.series[member]
        permission_id = (
            f"{member}" if identification == "pseudonym" else f"{member} {identification}"
        )
        await self._permit(
            permission_id,
            member,
            series.device,
            self.numbers[series] if identification == "pseudonym" else None,
            interval_minutes=interval or series.interval,
            identification=identification,
            valid_until=until,
        )

    async def _permit(
        self,
        permission: str,
        member: MemberId,
        device: Device,
        series_id: SeriesId | None = None,
        *,
        way: Direction = Direction.CONSUMPTION,
        **values: object,
    ) -> None:
        """Store a granted permission, and that the register says so."""
        row = {
            "id": permission,
            "member_id": member,
            "need": "sums",
            "version": 1,
            "state": "granted",
            "records_from": EARLIER,
            "valid_from": NOON,
            "valid_until": LATER,
            "shown_sha256": 64 * "a",
            "shown_language": "fr",
        }
        await self._add("member_permission", **row | values)
        path = named_series(device_of(device), way, SeriesPath.POWER)
        await self._add(
            "member_permission_series",
            permission_id=permission,
            identifier=str(path),
            series_id=series_id,
            backfilled_until=self.backfilled_until,
        )
        by = State.GRANTED, PermissionActor.MEMBER
        await note(self.connection, MemberPermissionId(permission), *by, text_hash=64 * "a")

    async def members(self, count: int, area: str | None = None) -> list[MemberId]:
        """Add homes of an area."""
        return [await self.member(area) for _ in range(count)]

    async def record(
        self,
        members: MemberId | Sequence[MemberId],
        values: Value | Sequence[Value],
        *,
        day: date = DAY,
        count: int | None = None,
        lacking: Collection[int] = (),
    ) -> None:
        """Store a UTC day of members, the same for all of them.

        Of a collective that sums a `count` of members, homes are missing at the places `lacking`.
        """
        for member in members if isinstance(members, Sequence) else [members]:
            series = self.series[member]
            places = len(series.starts(day))
            each = [values] * places if values is None or isinstance(values, int) else [*values]
            block = Block(series, day, tuple(each + [None] * (places - len(each))))
            self.arrivals.note(block, self.received.get((series, day)), self.at)
            self.received[series, day] = block
            await put_blocks(self.connection, {self.numbers[series]: [block]}, self.at)
            if count is not None:
                counts = [MemberCount(count, place in lacking).packed for place in range(places)]
                counted = Block(series, day, tuple(counts))
                await put_counts(self.connection, {self.numbers[series]: [counted]})

    async def record_two_days(
        self,
        members: MemberId | Sequence[MemberId],
        values: Value | Sequence[Value],
        *,
        count: int | None = None,
    ) -> None:
        """Store the two UTC days of a civil day."""
        for day in (BEFORE, DAY):
            await self.record(members, values, day=day, count=count)

    async def record_hour(
        self, member: MemberId, value: int, start: datetime, *, count: int | None = None
    ) -> None:
        """Store one hour more of a member, or one again."""
        series, day = self.series[member], start.date()
        block = self.received.get((series, day))
        values: list[Value] = [*block.values] if block else [None] * HOURS_A_DAY
        values[start.hour] = value
        await self.record(member, values, day=day, count=count)

    async def show_by_name(self, member: MemberId, name: str) -> None:
        """Make a home a site that allows it, from the first month that is free."""
        await self.name(member)
        await self.people.present(member, name, Description(), self.at)

    async def look(self, at: datetime | None = None) -> bool:
        """Close what is due then, or two days later; return whether anything was closed."""
        self.at = self.at + timedelta(days=2) if at is None else at
        waiting = WaitRule(
            online_since=self.online_since, opened_at=self.opened_at, arrivals=self.arrivals
        )
        closed = False
        while await self.closer(waiting).close():
            closed = True
        return closed

    def closer(self, waiting: WaitRule, *, asks_witnesses: bool = False) -> Closer:
        """Return what closes once what is due."""
        return Closer(
            self.people,
            "kersabiec",
            self.publication,
            waiting,
            self.at,
            steps=self.steps,
            asks_witnesses=asks_witnesses,
        )

    async def shown(
        self, name: str = "", *, kind: str = "area", day: date = DAY, interval: Interval = HOUR
    ) -> list[Value]:
        """Return what is published of a group: of everybody, if it has no name."""
        group = await self._own(name, kind, day, interval)
        return list(group[0].values) if group else []

    async def counted(
        self, name: str = "", *, kind: str = "area", day: date = DAY, interval: Interval = HOUR
    ) -> list[Value]:
        """Return how many members that sums."""
        group = await self._own(name, kind, day, interval)
        return list(group[1].values) if group else []

    async def civil(self, name: str = "", *, kind: str = "area", day: date = DAY) -> Value:
        """Return what is published of a civil day, in Wh."""
        start = day - timedelta(days=1)
        values = await self.shown(name, kind=kind, day=start, interval=Interval.P1D)
        return values[0] if values else None

    async def closed(
        self, day: date = DAY, interval: Interval = HOUR, *, protected: bool = False
    ) -> list[ClosedInterval]:
        within = Range.of_day(day)
        return await closed_intervals(self.connection, interval, within, protected=protected)

    async def closed_hour(self, start: datetime, *, protected: bool = False) -> ClosedInterval:
        closed = await self.closed(start.date(), protected=protected)
        return next(hour for hour in closed if hour.start == start)

    async def cells(self, interval: Interval = HOUR, *, group: str = "") -> list[PublishedCell]:
        """Return the published consumption of all days, in order."""
        number = await self.group("area" if group else "all", group)
        published = await cells(
            self.connection, number, interval, [CONSUMPTION], _ALWAYS, time_zone=ZONE
        )
        return sorted(published, key=lambda cell: cell.start)

    async def all_cells(self) -> dict[tuple[GroupId, str, datetime], PublishedCell]:
        """All that anybody may read of consumption, by group, step and start."""
        by_place = {}
        for group in await all_groups(self.connection):
            for step in (self.publication.interval, Interval.P1D):
                for cell in await cells(
                    self.connection, group.id, step, [CONSUMPTION], _ALWAYS, time_zone=ZONE
                ):
                    by_place[cell.group, step.value, cell.start] = cell
        return by_place

    async def published(self) -> dict[tuple[GroupId, str, datetime], int]:
        """All that anybody may read of consumption: watt-minutes by group, step and start."""
        row = PublishedCellRow
        query = select(row.group_id, row.interval, row.start, row.watt_minutes)
        rows = await self.connection.execute(query)
        return {(group, step.value, start): energy for group, step, start, energy in rows}

    async def group(self, kind: str, name: str) -> GroupId:
        return await group_id(self.connection, GroupKind(kind), name)

    async def _own(
        self, name: str, kind: str, day: date, interval: Interval
    ) -> tuple[Block, Block] | None:
        group = await self.group(kind if name or kind == "rest" else "all", name)
        names = devices("kersabiec", await all_groups(self.connection))
        device = names[group]
        series = own_series(device, CONSUMPTION, interval, ZONE)
        records, beside = await published_records(
            self.connection, "kersabiec", series, Range.of_day(day)
        )
        members = [Record(at, int(count)) for at, count in beside.get("members", {}).items()]
        return (Block.of(series, day, records), Block.of(series, day, members)) if records else None

    async def _add(self, table: str, **values: object) -> None:
        await self.connection.execute(insert(Base.metadata.tables[table]).values(values))

    async def rows(self, table: str) -> list[tuple[object, ...]]:
        rows = await self.connection.execute(select(Base.metadata.tables[table]))
        return [tuple(row) for row in rows]
