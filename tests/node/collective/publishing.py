"""A collective whose members tell what a test says, and what anybody may read of it then."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.disclosure import Agreed, Publication, Reason
from consometers_node.collective.own import devices, named, own_series
from consometers_node.collective.release import Release
from consometers_node.collective.tally import Change, record
from consometers_node.quoalise import Direction as Way, SeriesPath
from consometers_node.quoalise.federation_xml import write_data_needs
from consometers_node.quoalise.identifier import device as device_of, series as named_series
from consometers_node.quoalise.markup import serialise
from consometers_node.series import Block, Device, Direction, Interval, Quantity, Range, Series
from consometers_node.store import SeriesId
from consometers_node.store.collective_tables import GroupId, MemberId
from consometers_node.store.member_counts import counts, put_count
from consometers_node.store.releases import released
from consometers_node.store.series import add_series, blocks, put_block, series_id
from consometers_node.store.tables import Base
from consometers_node.wire import write_need

from ..permission.samples import NEED

ZONE = "Europe/Paris"
MONTH = date(2026, 7, 1)
DAY = date(2026, 7, 15)
"""Its civil day begins two hours before the UTC day does."""
BEFORE = DAY - timedelta(days=1)
NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
LATER = datetime(2026, 7, 25, tzinfo=UTC)
CONSUMPTION = Direction.CONSUMPTION
HOUR = Interval.PT1H
ASKED = serialise(write_data_needs([write_need(replace(NEED, id="sums", version=1))])).decode()
AGREED = Publication(basis=Agreed(3))

type Value = int | None


@dataclass
class Town:
    """Everything in one transaction. Homes are told of in W, one value for all hours or each."""

    connection: AsyncConnection
    publication: Publication = AGREED
    at: datetime = NOON
    groups: dict[tuple[str, str], GroupId] = field(default_factory=dict)
    told: dict[tuple[Series, date], Block] = field(default_factory=dict)
    series: dict[MemberId, Series] = field(default_factory=dict)
    numbers: dict[Series, SeriesId] = field(default_factory=dict)

    async def member(
        self,
        area: str | None = None,
        *,
        kind: str = "home",
        name: str | None = None,
        interval: Interval = HOUR,
        since: date = MONTH,
        until: date | None = None,
    ) -> MemberId:
        """Add a member that counts in everybody's group, its area's and, if a site, its own."""
        number = MemberId(len(self.series) + 1)
        if number == 1:
            await self._add("own_need", need="sums", version=1, body=ASKED, offered_at=NOON)
        await self._add(
            "member",
            id=number,
            pseudonym=f"p{number}",
            kind=kind,
            name=name,
            area=area,
            joined_at=NOON,
        )
        wanted = [("all", "")] + ([("area", area)] if area else [])
        wanted += [("site", name)] if kind == "site" and name else []
        for group in wanted:
            if group not in self.groups:
                self.groups[group] = GroupId(len(self.groups) + 1)
                await self._add("member_group", id=self.groups[group], kind=group[0], name=group[1])
            await self._add(
                "in_group",
                member_id=number,
                group_id=self.groups[group],
                from_month=since,
                until_month=until,
            )
        quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
        device = Device(f"urn:dev:org:60060-m{number}")
        one = Series(device, CONSUMPTION, quantity, interval, ZONE)
        self.series[number] = one
        self.numbers[one] = await add_series(self.connection, one, number)
        await self._add(
            "given",
            id=f"{number}",
            member_id=number,
            need="sums",
            version=1,
            state="granted",
            interval_minutes=interval,
            identification="pseudonym",
            records_from=NOON,
            valid_from=NOON,
            valid_until=LATER,
            shown_sha256=64 * "a",
            shown_language="fr",
        )
        path = named_series(device_of(str(device)), Way.CONSUMPTION, SeriesPath.POWER)
        await self._add(
            "given_series", given_id=f"{number}", identifier=str(path), series_id=self.numbers[one]
        )
        return number

    async def members(self, count: int, area: str | None = None) -> list[MemberId]:
        """Add homes of an area."""
        return [await self.member(area) for _ in range(count)]

    async def tell(
        self,
        members: MemberId | Sequence[MemberId],
        values: Value | Sequence[Value],
        *,
        day: date = DAY,
        count: int | None = None,
    ) -> None:
        """Let members tell of a UTC day, all of them the same."""
        changes = []
        for member in members if isinstance(members, Sequence) else [members]:
            of = self.series[member]
            places = len(of.starts(day))
            each = [values] * places if values is None or isinstance(values, int) else [*values]
            block = Block(of, day, tuple(each + [None] * (places - len(each))))
            counted = None if count is None else Block(of, day, (count,) * places)
            before, self.told[of, day] = self.told.get((of, day)), block
            change = Change(
                member=member,
                series=of,
                day=day,
                before=before,
                after=block,
                members_after=counted,
            )
            changes.append(change)
            await put_block(self.connection, self.numbers[of], block, self.at)
            if counted is not None:
                await put_count(self.connection, self.numbers[of], counted)
        await record(self.connection, changes, self.at)

    async def look(self, at: datetime | None = None) -> bool:
        """Release what is due then; without a time a day later, when nobody is news any more."""
        self.at = self.at + timedelta(days=2) if at is None else at
        return await Release(self.publication, ZONE, "kersabiec").look(self.connection, self.at)

    async def shown(
        self, name: str = "", *, kind: str = "area", day: date = DAY, interval: Interval = HOUR
    ) -> list[Value]:
        """Give what is published of a group: of everybody, if it has no name."""
        found = await self._own(name, kind, day, interval)
        return list(found[0].values) if found else []

    async def counted(
        self, name: str = "", *, kind: str = "area", day: date = DAY, interval: Interval = HOUR
    ) -> list[Value]:
        """Give how many members that sums."""
        found = await self._own(name, kind, day, interval)
        return list(found[1].values) if found else []

    async def civil(self, name: str = "", *, kind: str = "area", day: date = DAY) -> Value:
        """Give what is published of a civil day, in Wh."""
        start = day - timedelta(days=1)
        values = await self.shown(name, kind=kind, day=start, interval=Interval.P1D)
        return values[0] if values else None

    async def reason(
        self, name: str = "", place: int = 0, *, interval: Interval = HOUR, day: date = DAY
    ) -> Reason:
        """Give why something is withheld."""
        row = await released(self.connection, CONSUMPTION, interval, [day])
        group = self.groups["area" if name else "all", name]
        return Reason(row[day][group].reasons[place])

    async def _own(
        self, name: str, kind: str, day: date, interval: Interval
    ) -> tuple[Block, Block] | None:
        names = devices("kersabiec", await named(self.connection))
        device = names[self.groups[kind if name else "all", name]]
        one = own_series(device, CONSUMPTION, interval, ZONE)
        number = await series_id(self.connection, one)
        if number is None:
            return None
        within = Range.of_day(day)
        found = await blocks(self.connection, number, one, within)
        members = await counts(self.connection, number, one, within)
        return (found[0], members[0]) if found else None

    async def _add(self, table: str, **values: object) -> None:
        await self.connection.execute(insert(Base.metadata.tables[table]).values(values))

    async def kept(self, table: str) -> list[tuple[object, ...]]:
        """Give all rows of a table."""
        rows = await self.connection.execute(select(Base.metadata.tables[table]))
        return [tuple(row) for row in rows]
