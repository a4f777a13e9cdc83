"""When new records of recent intervals came: closing waits while they keep coming."""

from datetime import datetime, timedelta

from ...series import Block, Direction, Interval, Range

RECENT = timedelta(days=3)
"""A member is expected to send records while it sent some so lately."""

_STEP = timedelta(minutes=Interval.PT5M.minutes)


class Arrivals:
    """When the last new record of each recent interval came, since the node runs."""

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
        found = (self._last.get((direction, start)) for start in starts)
        return max((at for at in found if at is not None), default=None)

    def forget(self, before: datetime) -> None:
        """Forget what came of intervals that started before."""
        self._last = {key: at for key, at in self._last.items() if key[1] >= before}
