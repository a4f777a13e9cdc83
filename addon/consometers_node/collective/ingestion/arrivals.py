"""When new records and masked reports of recent intervals arrived: closing waits for more."""

from datetime import datetime, timedelta

from consometers_node.series import Block, Direction, Interval, Range

RECENT = timedelta(days=3)
"""A member is expected to send records while it sent some so lately."""
_STEP = timedelta(minutes=Interval.PT5M.minutes)


class Arrivals:
    """Arrival of the last new record of each recent interval: closing waits while they keep coming.

    They are those since the node runs.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[Direction, datetime], datetime] = {}

    def note(self, after: Block, before: Block | None, at: datetime) -> None:
        """Note which records of a block were not there before."""
        if Range.of_day(after.day).end < at - RECENT:
            return
        had = (None,) * len(after.values) if before is None else before.values
        starts = after.series.starts(after.day)
        for start, old, new in zip(starts, had, after.values, strict=True):
            if old is None and new is not None:
                self._last[after.series.direction, start] = at

    def last(self, direction: Direction, within: Range) -> datetime | None:
        """Return when the last new record of an interval came."""
        starts = (within.start + n * _STEP for n in range((within.end - within.start) // _STEP))
        arrivals = (self._last.get((direction, start)) for start in starts)
        return max((at for at in arrivals if at is not None), default=None)

    def note_report(self, direction: Direction, hour: datetime, at: datetime) -> None:
        """Note that a masked report of an hour came."""
        if hour >= at - RECENT:
            self._last[direction, hour] = at

    def forget(self, before: datetime) -> None:
        """Forget the arrivals of intervals that started earlier."""
        self._last = {key: at for key, at in self._last.items() if key[1] >= before}
