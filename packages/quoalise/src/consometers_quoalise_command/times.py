"""Times as a person types and reads them."""

from datetime import UTC, datetime, timedelta

from consometers_quoalise import Malformed, Number, iso8601

from .errors import misused
from .words import Language

_DAY = timedelta(days=1)


def span(
    start: str | None, end: str | None, now: datetime, language: Language
) -> tuple[datetime, datetime]:
    """Return the range that was typed, by default the 24 hours before its end, which is now."""
    until = _moment(end, "--end", language) if end else now.replace(microsecond=0)
    since = _moment(start, "--start", language) if start else until - _DAY
    if since >= until:
        raise misused("backwards", language)
    return since, until


def _moment(typed: str, option: str, language: Language) -> datetime:
    """Read a date or a time in ISO 8601. Without an offset it is local; a date is its midnight."""
    try:
        time = datetime.fromisoformat(typed.strip())
        # A year on the edge of the calendar has no other offset.
        return iso8601.moment(iso8601.shown(time if time.tzinfo else time.astimezone()))
    except ValueError, OverflowError:
        raise misused("not_a_time", language, option=option, typed=typed) from None
    except Malformed:
        raise misused("out_of_time", language, option=option, typed=typed) from None


def local(at: datetime | Number) -> str:
    """Return a time for people: local, with its offset, for an hour comes twice in autumn."""
    time = (at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)).astimezone()
    return time.isoformat(sep=" ", timespec="seconds" if time.second else "minutes")
