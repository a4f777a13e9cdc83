"""This collective's own series: what was released, of all members and of each group.

They are kept as any series is, so that they are granted and told as any series is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise.identifier import organisation
from ..series import Block, Device, Direction, Interval, Quantity, Range, Record, Series
from ..sharing.ledger import keep
from ..store import SeriesId
from ..store.collective_tables import GroupId, MemberGroupRow
from ..store.member_counts import counts
from ..store.series import add_series, blocks, series_id

_ALWAYS = Range(datetime(1978, 7, 5, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_OTHERS = re.compile(r"[^a-z0-9]+")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Named:
    """A group by its kind and name."""

    id: GroupId
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a group's series is to say of an interval: None where it says nothing.

    `stays` is what was said before, whatever that is.
    """

    start: datetime
    watt_minutes: int | None = None
    members: int = 0
    stays: bool = False


def devices(collective: str, groups: Iterable[Named]) -> dict[GroupId, Device]:
    """Give under which name each group's sums are known: the collective's, or one below it.

    Of two groups that would have the same, the later one has its number after it.
    """
    found: dict[GroupId, Device] = {}
    taken: set[str] = set()
    for group in sorted(groups, key=lambda one: one.id):
        name = collective if group.kind == "all" else f"{collective}-{_slug(group)}"
        while name in taken:
            name = f"{name}-{group.id}"
        taken.add(name)
        found[group.id] = Device(str(organisation(name)))
    return found


def own_series(device: Device, direction: Direction, interval: Interval, time_zone: str) -> Series:
    """Give a series of sums: mean W of an interval, Wh of a civil day."""
    quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
    return Series(device, direction, quantity, interval, time_zone)


def value(watt_minutes: int, interval: Interval) -> int:
    """Give the record that says it: mean W of an interval, Wh of a civil day."""
    minutes = _minutes(interval)
    return (watt_minutes + minutes // 2) // minutes


def energy(value: int, interval: Interval) -> int:
    """Give the watt-minutes of a record."""
    return value * _minutes(interval)


async def named(connection: AsyncConnection) -> list[Named]:
    """Give every group that there is, or was."""
    query = select(MemberGroupRow.id, MemberGroupRow.kind, MemberGroupRow.name)
    return [Named(*row) for row in await connection.execute(query)]


class OwnSeries:
    """Writes what was released, in a transaction. `is_new` tells whether anything was new."""

    def __init__(self, connection: AsyncConnection, collective: str, time_zone: str) -> None:
        self.is_new = False
        self._connection = connection
        self._collective = collective
        self._time_zone = time_zone
        self._devices: Mapping[GroupId, Device] | None = None
        self._numbers: dict[Series, SeriesId] = {}

    async def of(self, group: GroupId, direction: Direction, interval: Interval) -> Series:
        """Give the series of a group."""
        if self._devices is None:
            self._devices = devices(self._collective, await named(self._connection))
        return own_series(self._devices[group], direction, interval, self._time_zone)

    async def said(self, series: Series) -> list[datetime]:
        """Give when the intervals start of which a series says anything."""
        number = await series_id(self._connection, series)
        if number is None:
            return []
        found = await blocks(self._connection, number, series, _ALWAYS)
        return [one.start for block in found for one in block.records()]

    async def write(self, series: Series, told: Iterable[Told], at: datetime) -> None:
        """Let a series say this, and queue it for whoever is told."""
        days: dict[date, list[Told]] = {}
        for one in told:
            days.setdefault(one.start.date(), []).append(one)
        if not days:
            return
        within = Range(Range.of_day(min(days)).start, Range.of_day(max(days)).end)
        number = self._numbers.get(series) or await series_id(self._connection, series)
        if number is None:
            if all(one.watt_minutes is None for some in days.values() for one in some):
                return
            number = await add_series(self._connection, series)
        self._numbers[series] = number
        said = {one.day: one for one in await blocks(self._connection, number, series, within)}
        counted = {one.day: one for one in await counts(self._connection, number, series, within)}
        new: list[Block] = []
        members: list[Block] = []
        for day, some in days.items():
            energies = {one: one.watt_minutes for one in some}
            block = _block(
                series,
                day,
                said.get(day),
                {
                    one: None if energy is None else value(energy, series.interval)
                    for one, energy in energies.items()
                },
            )
            count = _block(
                series,
                day,
                counted.get(day),
                {one: None if energy is None else one.members for one, energy in energies.items()},
            )
            if block != said.get(day) or count != counted.get(day):
                new += [block] if block is not None else []
                members += [count] if count is not None else []
        if new and await keep(self._connection, {series: number}, new, at, members):
            self.is_new = True


def _block(
    series: Series, day: date, before: Block | None, told: Mapping[Told, int | None]
) -> Block | None:
    """Give a block that says this; None where there was none, and is nothing to say."""
    values = {} if before is None else {one.start: one.value for one in before.records()}
    for one, found in told.items():
        if one.stays:
            continue
        values.pop(one.start, None)
        if found is not None:
            values[one.start] = found
    if not values and before is None:
        return None
    return Block.of(series, day, (Record(start, number) for start, number in values.items()))


def _minutes(interval: Interval) -> int:
    return 60 if interval is Interval.P1D else interval.minutes


def _slug(group: Named) -> str:
    name = unicodedata.normalize("NFKD", group.name.lower().translate(_LETTERS))
    plain = name.encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-") or f"{group.kind}-{group.id}"
