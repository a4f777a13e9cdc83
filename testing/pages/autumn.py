"""A collective of two communes that closes its hours itself: an October, and some days a year ago.

The first hour is one of a morning, and panels are read two days later. October has a day of 25
hours, March one of 23. At dawn too few homes inject for their sum; a
commune lacks homes for some hours; all of them are silent for others; twelve join at three o’clock
in the night. Ten homes send days alone, and a public building sells all that its panels make.
A municipality above has some days of it, of which hours lack homes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo

from consometers_node.collective.calendar import Span, instants
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.members.sites import Building
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
from consometers_node.store import SeriesId, Store
from consometers_node.store.collective.publication import ClosedInterval, write
from consometers_node.store.collective.published_series import published_records
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import MemberCount, add_series, put_blocks, put_counts
from consometers_quoalise.records.identifier import SeriesPath, organisation
from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL
from consometers_tic_virtual.world.site import Site
from demo.world.hourly import Hour, hours
from testing.collectives.publishing import ASKED, NOON, PublishingTown

ZONE = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 10, 29, 13, 40, tzinfo=UTC)
PUBLICATION = Publication(minimum=10)
MONTH = date(2026, 10, 1)
A_YEAR_EARLIER = Span(date(2025, 10, 22), date(2025, 10, 27))
SPRING = Span(date(2026, 3, 28), date(2026, 3, 29))
AUTUMN = Span(MONTH, NOW.date())
ABOVE = Span(date(2026, 10, 5), date(2026, 10, 8))
"""Days that a municipality has of the collective."""
COLLECTIVE, MUNICIPALITY = "kersabiec", "lorient"
"""Their names in the federation."""
SPANS = (A_YEAR_EARLIER, SPRING, AUTUMN)
BEGUN = {
    Direction.CONSUMPTION: datetime(2025, 10, 22, 8, tzinfo=UTC),
    Direction.INJECTION: datetime(2025, 10, 22, 8, tzinfo=UTC),
    Direction.PRODUCTION: datetime(2025, 10, 24, 10, tzinfo=UTC),
}
"""From when on anything is sent."""
LORIENT, LARMOR = "Lorient", "Larmor-Plage"
SCHOOL_NAME, HALL_NAME = "École de Kersabiec", "Salle de Kermelo"
JOINED = datetime(2026, 10, 12, 1, tzinfo=UTC)
"""Three o’clock there."""
FEW_AT = frozenset(datetime(2026, 10, 5, hour, tzinfo=UTC) for hour in (10, 11, 18))
"""When homes of the smaller commune are silent."""
NOBODY_AT = frozenset(datetime(2026, 10, 8, hour, tzinfo=UTC) for hour in (14, 15))
"""When no home says what it draws."""

_ALWAYS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
_SETTLED = timedelta(hours=13)
"""How long a collective waits for days, and a little more."""
_HOUR_S = 3600
_SORTS = 6
"""Homes that are not alike; the others are larger or smaller than one of them."""
_DRAWN, _FED, _MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION

type Energies = Mapping[datetime, int]
"""Wh of each hour, by its start."""


@dataclass(frozen=True)
class AutumnRoof:
    """A building of one commune, and when it says nothing."""

    site: Site
    area: str
    kwp: float = 0.0
    since: datetime = _ALWAYS[0]
    silent: Collection[datetime] = ()
    sends_days: bool = False
    name: str | None = None
    sells_all: bool = False
    building: Building | None = None

    def series(self, number: MemberId, direction: Direction) -> Series:
        """Return the series of a direction."""
        quantity, interval = Quantity.POWER, Interval.PT1H
        if self.sends_days:
            quantity, interval = Quantity.ENERGY, Interval.P1D
        device = Device(f"urn:dev:org:60060-m{number}-{direction}")
        return Series(device, direction, quantity, interval, ZONE.key)

    def _begun(self, direction: Direction) -> datetime:
        """Return the first instant; a home with daily records sends whole days."""
        begun = BEGUN[direction]
        if not self.sends_days:
            return begun
        return instants(ZONE.key, begun.astimezone(ZONE).date()).end

    def energies(self, number: MemberId) -> Mapping[Direction, Energies]:
        """Return what it sends in each direction."""
        energy: Mapping[Direction, dict[datetime, int]] = {
            direction: {} for direction in (tuple(Direction) if self.kwp else (_DRAWN,))
        }
        sort, larger = (number % _SORTS, number) if self.name is None else (number, 0)
        for hour in _hours(self.site, self.kwp, sort):
            start = datetime.fromtimestamp(hour.n * _HOUR_S, UTC)
            if start < self.since or start in self.silent:
                continue
            drawn, fed, made = (
                wh * (100 + larger) // 100 for wh in (hour.drawn_wh, hour.injected_wh, hour.made_wh)
            )
            if self.sells_all:
                drawn, fed = drawn + made - fed, made
            for direction, wh in ((_DRAWN, drawn), (_FED, fed), (_MADE, made)):
                is_heard = direction is not _DRAWN or self.name or start not in NOBODY_AT
                if direction in energy and is_heard and start >= self._begun(direction):
                    energy[direction][start] = wh
        return energy


@cache
def _hours(site: Site, kwp: float, seed: int) -> list[Hour]:
    """Return the hours of all spans, up to now."""
    series: list[Hour] = []
    for span in SPANS:
        first = int(instants(ZONE.key, span.first).start.timestamp()) // _HOUR_S
        end = min(instants(ZONE.key, span.last).end, NOW)
        series += hours(site, kwp, seed, first, int(end.timestamp()) // _HOUR_S)
    return series


_ROOFS: tuple[AutumnRoof, ...] = (
    *(AutumnRoof(HOUSEHOLD, LORIENT, kwp=2.0 + n % 3) for n in range(12)),
    *(AutumnRoof(HOUSEHOLD, LORIENT) for _ in range(3)),
    *(AutumnRoof(HOUSEHOLD, LARMOR, kwp=3.0, silent=FEW_AT if n < 4 else ()) for n in range(10)),
    *(AutumnRoof(HOUSEHOLD, LARMOR) for _ in range(2)),
    *(
        AutumnRoof(HOUSEHOLD, LORIENT, kwp=3.0 if n < 3 else 0.0, sends_days=True)
        for n in range(10)
    ),
    AutumnRoof(SCHOOL, LORIENT, kwp=36.0, name=SCHOOL_NAME, building=Building.SCHOOL),
    AutumnRoof(
        SCHOOL, LARMOR, kwp=9.0, name=HALL_NAME, sells_all=True, building=Building.COMMUNITY
    ),
)
_JOINERS = tuple(
    AutumnRoof(HOUSEHOLD, LORIENT, kwp=3.0 if n < 4 else 0.0, since=JOINED) for n in range(12)
)


@dataclass
class _Joining(PublishingTown):
    """A town whose members have series in several directions."""

    @classmethod
    async def begun(cls, connection: AsyncConnection) -> Self:
        """Return a collective that opened long ago and asks for protected sums."""
        town = cls(
            connection,
            PUBLICATION,
            opened_at=_ALWAYS[0],
            online_since=_ALWAYS[0],
            backfilled_until=_ALWAYS[1],
        )
        await town._add("own_need", need="sums", version=1, body=ASKED, offered_at=NOON)
        return town

    async def skip_to(self, day: date) -> None:
        """Close what is before a day, of which no member sends anything."""
        steps = {Interval.PT1H: HOUR, Interval.P1D: timedelta(days=1)}
        midnight = datetime.combine(day, time(), ZONE)
        closed = [
            ClosedInterval(
                direction=direction,
                interval=interval,
                start=(midnight - length).astimezone(UTC),
                closed_at=self.at,
                expected=0,
                response=0,
                reason=None,
            )
            for direction in Direction
            for interval, length in steps.items()
        ]
        await write(self.connection, [], closed)

    async def add_collective(self, number: MemberId) -> None:
        """Add a collective that counts in no commune."""
        await self._join(number, None, ABOVE.first.replace(day=1), kind="collective")

    async def join(self, number: MemberId, roof: AutumnRoof) -> None:
        """Add a member with all that it ever sends."""
        kind = "home" if roof.name is None else "site"
        month = roof.since.astimezone(ZONE).date().replace(day=1)
        await self._join(number, roof.area, month, kind=kind, name=roof.name)
        if roof.building is not None:
            group = await self.group("building", roof.building)
            membership = {"member_id": number, "group_id": group, "from_month": month}
            await self._add("group_membership", **membership)
        by_hour = roof.energies(number)
        for direction, energies in by_hour.items():
            series = roof.series(number, direction)
            series_id = await self.receive(number, series, by_name=roof.name is not None)
            blocks = list(_blocks(series, energies))
            await put_blocks(self.connection, {series_id: blocks}, self.at)

    async def receive(self, number: MemberId, series: Series, *, by_name: bool = False) -> SeriesId:
        """Add a series that a member lets be read, and be shown by its name."""
        series_id = await add_series(self.connection, series, number)
        for identification in ("pseudonym", *(["name"] if by_name else [])):
            await self._permit(
                f"{identification} of {number} {series.direction}",
                number,
                series.device,
                series_id,
                interval_minutes=series.interval,
                identification=identification,
                valid_until=_ALWAYS[1],
            )
        return series_id


async def fill(store: Store) -> None:
    """Have members join and send, and the collective close all that is due."""
    async with store.writing() as connection:
        town = await _Joining.begun(connection)
        for number, roof in enumerate(_ROOFS, 1):
            await town.join(MemberId(number), roof)
        await town.look(instants(ZONE.key, A_YEAR_EARLIER.last).end + _SETTLED)
        await town.skip_to(SPRING.first)
        await town.look(instants(ZONE.key, SPRING.last).end + _SETTLED)
        await town.skip_to(MONTH)
        await town.look(JOINED - timedelta(minutes=20))
        for number, roof in enumerate(_JOINERS, 1 + len(_ROOFS)):
            await town.join(MemberId(number), roof)
        await town.look(NOW)


async def fill_above(above: Store, below: Store) -> None:
    """Have a municipality collect the hours of a collective, and close them."""
    device = Device(str(organisation(COLLECTIVE)))
    within = Range(instants(ZONE.key, ABOVE.first).start, instants(ZONE.key, ABOVE.last).end)
    async with above.writing() as connection, below.reading() as reading:
        town = await _Joining.begun(connection)
        child = MemberId(1)
        await town.add_collective(child)
        for direction in Direction:
            series = Series(device, direction, Quantity.POWER, Interval.PT1H, ZONE.key)
            records, beside = await published_records(reading, COLLECTIVE, series, within)
            series_id = await town.receive(child, series)
            lacking = beside[SeriesPath.WITHOUT_HOMES]
            counts = {
                start: MemberCount(int(members), start in lacking).packed
                for start, members in beside[SeriesPath.MEMBERS].items()
            }
            sums = {record.start: int(record.value) for record in records}
            await put_blocks(connection, {series_id: list(_blocks(series, sums))}, town.at)
            await put_counts(connection, {series_id: _blocks(series, counts)})
        await town.look(NOW)


def _blocks(series: Series, energies: Energies) -> Iterator[Block]:
    """Yield the blocks of a series: mean powers of hours, or the energy of civil days."""
    records = energies.items()
    if series.interval is Interval.P1D:
        days: dict[datetime, int] = defaultdict(int)
        for start, wh in energies.items():
            days[instants(ZONE.key, start.astimezone(ZONE).date()).start] += wh
        records = days.items()
    by_day: dict[date, list[Record]] = {}
    for start, value in records:
        by_day.setdefault(start.date(), []).append(Record(start, value))
    for day, some in by_day.items():
        yield Block.of(series, day, some)
