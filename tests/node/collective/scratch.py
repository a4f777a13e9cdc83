"""Sums as anybody would make them who has all records at hand, and all the time in the world."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from consometers_node.series import Direction, Interval, Quantity, Series
from consometers_node.store.collective_tables import GroupId, MemberId

type Row = tuple[list[int], list[int], list[int]]
type Key = tuple[GroupId, Direction, Interval, date, str]

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
INTERVALS = (Interval.PT30M, Interval.PT1H)


@dataclass
class Someone:
    """A member, and all that it has told."""

    kind: str = "home"
    stays: dict[tuple[GroupId, date], date | None] = field(default_factory=dict)
    blocks: dict[tuple[Series, date], tuple[int | None, ...]] = field(default_factory=dict)
    counts: dict[tuple[Series, date], tuple[int | None, ...]] = field(default_factory=dict)

    def is_in(self, group: GroupId, month: date) -> bool:
        return any(
            one == group and since <= month and (until is None or month < until)
            for (one, since), until in self.stays.items()
        )

    def records(self) -> dict[Series, dict[datetime, tuple[int, int]]]:
        """Give each record of each series, and for how many members it counts."""
        found: dict[Series, dict[datetime, tuple[int, int]]] = {}
        for (series, day), values in self.blocks.items():
            counts = self.counts.get((series, day), (None,) * len(values))
            records = found.setdefault(series, {})
            for at, value, count in zip(series.starts(day), values, counts, strict=True):
                if value is not None:
                    records[at] = value, count or 1
        return found


@dataclass(frozen=True)
class Has:
    """What a member has in an interval, of how many records of how many, for how many members."""

    watt_minutes: int
    records: int
    expected: int
    count: int


class Scratch:
    """All members."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.members: dict[MemberId, Someone] = {}

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def has(
        self, someone: Someone, direction: Direction, start: datetime, end: datetime
    ) -> Has | None:
        """Give what a member has from one instant to another; None if that is nothing at all."""
        records = self.records[id(someone)]
        last = (end - timedelta(seconds=1)).date()
        there = sorted(
            {
                series
                for (series, day) in someone.blocks
                if series.direction is direction and start.date() <= day <= last
            },
            key=lambda one: (one.device, one.interval.minutes),
        )
        devices = {name: list(found) for name, found in groupby(there, lambda one: one.device)}
        if someone.kind == "collective":
            devices = {
                name: found
                for name, found in devices.items()
                if not any(name.startswith(f"{other}-") for other in devices)
            }
        parts = []
        for series in devices.values():
            known = []
            for one in series:
                length = self.length(one, start, end)
                if length is None or end - start < length:
                    continue
                expected = (end - start) // length
                starts = [start + n * length for n in range(expected)]
                found = [records[one][at] for at in starts if at in records[one]]
                if found:
                    minutes = 60 if one.quantity is Quantity.ENERGY else length // MINUTE
                    total = sum(value for value, _ in found) * minutes
                    least = min(count for _, count in found)
                    known.append(Has(total, len(found), expected, least))
            if known:
                parts.append(max(known, key=lambda one: one.records / one.expected))
        if not parts:
            return None
        collective = someone.kind == "collective"
        return Has(
            sum(part.watt_minutes for part in parts),
            sum(part.records for part in parts),
            sum(part.expected for part in parts),
            sum(part.count for part in parts) if collective else 1,
        )

    def length(self, series: Series, start: datetime, end: datetime) -> timedelta | None:
        if series.interval is Interval.P1D:
            return end - start if end - start > timedelta(hours=2) else None
        return timedelta(minutes=series.interval.minutes)

    def places(self, interval: Interval, day: date) -> list[tuple[datetime, datetime, date]]:
        """Give the intervals of a row, and the month of each."""
        if interval is Interval.P1D:
            days = [day + n * DAY for n in range(31) if (day + n * DAY).month == day.month]
            return [(self.midnight(one), self.midnight(one + DAY), day) for one in days]
        step = timedelta(minutes=interval.minutes)
        starts = [datetime.combine(day, time(), UTC) + n * step for n in range(DAY // step)]
        return [
            (start, start + step, start.astimezone(self.zone).date().replace(day=1))
            for start in starts
        ]

    def look(self) -> None:
        """Look at what members have told."""
        self.records = {id(one): one.records() for one in self.members.values()}

    def sums(self, groups: list[GroupId], days: list[date]) -> dict[Key, Row]:
        """Give every row that counts anybody."""
        found = {}
        months = {(day + n * DAY).replace(day=1) for day in days for n in (-1, 0, 1)}
        rows = [(interval, day) for interval in INTERVALS for day in days]
        for interval, day in rows + [(Interval.P1D, month) for month in months]:
            for direction in Direction:
                for kind, group, row in self._rows(interval, day, direction, groups):
                    if any(row[1]):
                        found[group, direction, interval, day, kind] = row
        return found

    def _rows(
        self, interval: Interval, day: date, direction: Direction, groups: list[GroupId]
    ) -> Iterator[tuple[str, GroupId, Row]]:
        places = self.places(interval, day)
        parts = {
            member: [self.has(of, direction, start, end) for start, end, _ in places]
            for member, of in self.members.items()
            if any(series.direction is direction for series, _ in of.blocks)
        }
        for group in groups:
            for kind in {self.members[member].kind for member in parts}:
                row: Row = ([], [], [])
                for place, (_, _, month) in enumerate(places):
                    here = [
                        part
                        for member, had in parts.items()
                        if self.members[member].kind == kind
                        and self.members[member].is_in(group, month)
                        and (part := had[place]) is not None
                        and part.records == part.expected
                    ]
                    row[0].append(sum(part.watt_minutes for part in here))
                    row[1].append(sum(part.count for part in here))
                    row[2].append(max((part.watt_minutes for part in here), default=0))
                yield kind, group, row

    def days(
        self, days: list[date]
    ) -> dict[tuple[MemberId, Direction, date], tuple[int, int, int]]:
        """Give what members have of each civil day of which they have anything."""
        found = {}
        for member, of in self.members.items():
            for direction in Direction:
                for day in {day + n * DAY for day in days for n in (-1, 0, 1)}:
                    has = self.has(of, direction, self.midnight(day), self.midnight(day + DAY))
                    if has is not None:
                        found[member, direction, day] = (
                            has.watt_minutes,
                            has.records,
                            has.expected,
                        )
        return found
