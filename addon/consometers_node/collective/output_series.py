"""This collective's own series: what was published, of all members and of each group.

They are kept as any series is, so that they are granted and told as any series is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
import re
import unicodedata

from sqlalchemy import delete, exists
from sqlalchemy.ext.asyncio import AsyncConnection

from ..quoalise.identifier import organisation
from ..series import Block, Device, Direction, Interval, Quantity, Range, Record, Series
from ..sharing.due_records import queue_again
from ..sharing.names import COLLECTIVE
from ..store import SeriesId
from ..store.collective_tables import GroupId
from ..store.member_counts import put_counts, sums_of_days
from ..store.series import (
    OWN,
    add_series,
    all_series,
    erase_series,
    put_blocks,
    series_of_devices,
)
from ..store.settings import set_setting, setting, settings_like
from ..store.tables import PermissionSeriesRow, SeriesRow
from .groups import Group, all_groups

_OLD_NAME = "old name."
"""Of a group: under which name its sums were known."""
_OTHERS = re.compile(r"[^a-z0-9]+")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Told:
    """What was published of an interval: watt-minutes, and how many members that sums."""

    start: datetime
    watt_minutes: int
    members: int


def devices(collective: str, groups: Iterable[Group]) -> dict[GroupId, Device]:
    """Return under which name each group's sums are known: the collective's, or one below it.

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
    """Return a series of sums: mean W of an interval, Wh of a civil day."""
    quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
    return Series(device, direction, quantity, interval, time_zone)


def value(watt_minutes: int, interval: Interval) -> int:
    """Return the record that says it: mean W of an interval, Wh of a civil day."""
    minutes = _minutes(interval)
    return (watt_minutes + minutes // 2) // minutes


async def note_old_name(connection: AsyncConnection, group: GroupId) -> None:
    """Note that a group is about to lose its name: its series under that one are to be erased."""
    collective = await setting(connection, COLLECTIVE)
    if collective is not None:
        device = devices(collective, await all_groups(connection))[group]
        await set_setting(connection, f"{_OLD_NAME}{group}", device)


async def forget_old_names(connection: AsyncConnection) -> bool:
    """Erase the series under names that groups have no more; return whether there was any.

    Of one that a peer was granted, the name stays.
    """
    old = await settings_like(connection, _OLD_NAME)
    if not old:
        return False
    known = await all_series(connection)
    gone = [number for number, series in known.items() if series.device in old.values()]
    await erase_series(connection, gone)
    granted = exists().where(PermissionSeriesRow.series_id == SeriesRow.id)
    await connection.execute(delete(SeriesRow).where(SeriesRow.id.in_(gone), ~granted))
    for key in old:
        await set_setting(connection, key, None)
    return True


async def write(
    connection: AsyncConnection, told: Mapping[Series, Iterable[Told]], at: datetime
) -> None:
    """Add these records to their series, and queue them for the peers that read these."""
    days: dict[tuple[Series, date], list[Told]] = {}
    for series, some in told.items():
        for one in some:
            days.setdefault((series, one.start.date()), []).append(one)
    if not days:
        return
    numbers = await _numbers(connection, {series for series, _ in days})
    wanted: dict[SeriesId, tuple[Series, set[date]]] = {}
    for series, day in days:
        wanted.setdefault(numbers[series], (series, set()))[1].add(day)
    known = await sums_of_days(connection, wanted)
    blocks: dict[SeriesId, list[Block]] = {}
    members: dict[SeriesId, list[Block]] = {}
    for (series, day), some in days.items():
        values = [Record(one.start, value(one.watt_minutes, series.interval)) for one in some]
        counts = [Record(one.start, one.members) for one in some]
        number = numbers[series]
        before, counted = known.get((number, day), (None, None))
        blocks.setdefault(number, []).append(_with(before, series, day, values))
        members.setdefault(number, []).append(_with(counted, series, day, counts))
    await put_blocks(connection, blocks, at)
    await put_counts(connection, members)
    # A peer that subscribed before the past was closed has a cursor beyond it.
    ends = {series: [one.start for one in some] for series, some in told.items()}
    spans = {
        (series, False): [Range(min(starts), series.end(max(starts)))]
        for series, starts in ends.items()
    }
    await queue_again(connection, numbers, spans, at)


async def _numbers(
    connection: AsyncConnection, wanted: Collection[Series]
) -> dict[Series, SeriesId]:
    """Return the numbers of these series, which are made where there are none."""
    known = await series_of_devices(connection, {series.device for series in wanted}, OWN)
    for series in wanted:
        if series not in known:
            known[series] = await add_series(connection, series)
    return known


def _with(before: Block | None, series: Series, day: date, records: Iterable[Record]) -> Block:
    return Block.of(series, day, records) if before is None else before.replace(records)


def _minutes(interval: Interval) -> int:
    return 60 if interval is Interval.P1D else interval.minutes


def _slug(group: Group) -> str:
    name = unicodedata.normalize("NFKD", group.name.lower().translate(_LETTERS))
    plain = name.encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-") or f"{group.kind}-{group.id}"
