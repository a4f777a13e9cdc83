"""The rows of an imported statistic: `state` holds what an hour has, `sum` follows from the states.

    a load curve, a day    state: the energy, Wh                   sum: all energies up to it
    a register             state: what it shows at the hour's end  sum: how far it has gone

Because the states are all that counts, Home Assistant is the store: whatever comes late, twice, or
corrected is put at its hour, and the sums of all later rows follow. Rows that were written by
halves before a power cut show in their sums, and are mended from their states.

**Before the first row.** The Energy dashboard takes the whole sum of the first row for energy of
its time. So the first sum is its own energy (of a register: 0), and a past that is found later
raises all sums, instead of being given sums below zero.

**Registers.** One that fell under 90 % of itself began at zero, as Home Assistant has it. One that
fell by less, or rose by more than any meter counts in that time, has gone nowhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from consometers_node.household.readings import HOUR, Flag
from consometers_node.household.statistics import StatisticsRow

from .hours import SeriesKind, States

MOST_REGISTER_W = 36_000_000
"""No household's, but a building's meter may be imported, too."""

_SAME_WH = 1 / 32
_RESTARTED_BELOW = 0.9
_FEW = 3


def summed(
    kind: SeriesKind, before: StatisticsRow | None, rows: Iterable[StatisticsRow], states: States
) -> Iterator[StatisticsRow]:
    """Yield the rows with some states put in and every sum computed again, in order of time.

    `before` is the row before all of them, None if there is none. Rows without a state go.
    """
    by_start = {row.start: row.state for row in rows if row.state is not None} | dict(states)
    last = before
    for start, state in sorted(by_start.items()):
        row = StatisticsRow(start=start, state=state, sum=0.0)
        gone, _ = rise(kind, last, row)
        last = StatisticsRow(start=start, state=state, sum=_sum(last) + gone)
        yield last


def rise(
    kind: SeriesKind, before: StatisticsRow | None, row: StatisticsRow
) -> tuple[float, Flag | None]:
    """Return the energy of a row, and a note on it."""
    state = _state(row)
    if kind is not SeriesKind.REGISTER:
        return state, None
    if before is None:
        return 0.0, None
    shown = _state(before)
    if state < shown * _RESTARTED_BELOW:
        return state, Flag.RESTARTED
    if state < shown:
        return 0.0, Flag.BACKWARDS
    if state - shown > MOST_REGISTER_W * ((row.start - before.start) / HOUR):
        return 0.0, Flag.ABSURD
    return state - shown, None


def flags(
    kind: SeriesKind, before: StatisticsRow | None, rows: Iterable[StatisticsRow]
) -> Iterator[tuple[StatisticsRow, Flag]]:
    """Yield the rows with a note."""
    ordered = [row for row in (before, *rows) if row is not None]
    for earlier, following in pairwise(ordered):
        if (flag := rise(kind, earlier, following)[1]) is not None:
            yield following, flag


def differing(rows: Iterable[StatisticsRow], held: Iterable[StatisticsRow]) -> list[StatisticsRow]:
    """Return the rows that differ from the stored ones."""
    by_start = {row.start: row for row in held}
    return [row for row in rows if not _same(row, by_start.get(row.start))]


def ours(kind: SeriesKind, rows: Sequence[StatisticsRow]) -> bool:
    """Return whether rows look like ours: most sums follow from the states.

    Not all: they may have been written by halves, or somebody may have adjusted a sum.
    """
    strange = sum(
        1
        for before, row in pairwise(rows)
        if before.state is None
        or row.state is None
        or before.sum is None
        or row.sum is None
        or abs(row.sum - before.sum - rise(kind, before, row)[0]) > _SAME_WH
    )
    return strange <= max(_FEW, len(rows) // 4)


def _same(row: StatisticsRow, held: StatisticsRow | None) -> bool:
    if held is None or held.state is None or held.sum is None:
        return False
    away = max(abs(_state(row) - held.state), abs(_sum(row) - held.sum))
    return away < _SAME_WH


def _state(row: StatisticsRow) -> float:
    assert row.state is not None
    return row.state


def _sum(row: StatisticsRow | None) -> float:
    if row is None:
        return 0.0
    assert row.sum is not None
    return row.sum
