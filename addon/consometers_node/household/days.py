"""Which days of a series are read from its source, and which are still to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from consometers_node.series import Interval, Range, Series

from .statistics import is_imported

_FINE = (Interval.PT5M, Interval.PT30M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How long a source has records, and how long they may still change."""

    changing: timedelta
    """How far back its own statistics are read again."""
    changing_imported: timedelta
    """The same for those that were imported into it."""
    fine: timedelta | None
    """How long it has records that are shorter than an hour; None is for ever."""

    def window(self, series: Series, now: datetime) -> Range:
        """Return the whole UTC days, including today, in which a series may still change."""
        back = self.changing_imported if is_imported(series) else self.changing
        return Range(
            Range.of_day((now - back).astimezone(UTC).date()).start,
            Range.of_day(now.astimezone(UTC).date()).end,
        )

    def days_to_read(self, series: Series, records: Range, now: datetime) -> Range:
        """Return the whole UTC days, including today, that the records of a grant need."""
        start = records.start
        if self.fine is not None and not needs_hours(series):
            start = max(start, now - self.fine)
        end = Range.of_day(min(now, records.end).astimezone(UTC).date()).end
        return Range(min(Range.of_day(start.astimezone(UTC).date()).start, end), end)


def needs_hours(series: Series) -> bool:
    """Return whether records last an hour or more; finer ones are made of finer data only."""
    return series.interval not in _FINE


def still_to_read(needed: Range, covered: Range | None) -> list[Range]:
    """Return the unread days before today, the newest first.

    What was read is one range, and stays one: what is given grows it on either side.
    """
    if covered is None:
        return [needed] if needed else []
    left = [
        Range(covered.end, max(covered.end, needed.end)),
        Range(min(needed.start, covered.start), covered.start),
    ]
    return [days for days in left if days]


def months(within: Range) -> Iterator[Range]:
    """Cut the whole UTC days of a range where months begin."""
    for _, same in groupby(within.days(), key=lambda day: (day.year, day.month)):
        days = list(same)
        yield Range(Range.of_day(days[0]).start, Range.of_day(days[-1]).end)
