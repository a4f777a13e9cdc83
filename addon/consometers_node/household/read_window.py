"""Up to where the recorder is to be read for what was granted, and what is left of it. Pure."""

from datetime import UTC, datetime, timedelta

from ..series import Range, Series
from .reading import needs_hours

FIVE_MINUTE_ROWS = timedelta(days=10)
"""How long Home Assistant keeps them by default."""


def wanted(series: Series, records: Range, now: datetime) -> Range:
    """Return the whole UTC days, today with them, that the records of a grant are to be read of.

    Hours are kept for ever. What is made of 5-minute rows is only there as long as these are.
    """
    start = records.start
    if not needs_hours(series):
        start = max(start, now - FIVE_MINUTE_ROWS)
    end = Range.of_day(min(now, records.end).astimezone(UTC).date()).end
    return Range(min(Range.of_day(start.astimezone(UTC).date()).start, end), end)


def still_to_read(wanted: Range, covered: Range | None) -> list[Range]:
    """Return the days before today that were not read yet, the newest first.

    What was read is one range, and stays one: what is given grows it on either side.
    """
    if covered is None:
        return [wanted] if wanted else []
    left = [
        Range(covered.end, max(covered.end, wanted.end)),
        Range(min(wanted.start, covered.start), covered.start),
    ]
    return [days for days in left if days]
