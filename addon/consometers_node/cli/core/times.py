"""Times as a person types and reads them."""

from datetime import UTC, datetime, timedelta

from consometers_node.i18n.text import text
from consometers_quoalise import Number, iso8601
from consometers_quoalise.errors import Malformed

from .errors import mistyped, misused

DAY = timedelta(days=1)

_NOT_A_TIME = text(
    "“{found}” is neither a date nor a time: write 2026-01-31, 2026-01-31T18:00 or"
    " 2026-01-31T18:00+01:00."
)
_BACKWARDS = text("the range ends before it begins: exchange --start and --end.")


def moment(typed: str, option: str) -> datetime:
    """Read a date or a time in ISO 8601. Without an offset it is local; a date is its midnight."""
    try:
        time = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise misused(option, _NOT_A_TIME.fill(found=typed)) from None
    if time.tzinfo is None:
        time = time.astimezone()
    try:
        return iso8601.moment(iso8601.shown(time), option)
    except Malformed as error:
        raise mistyped(option, error) from None


def span(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the range that was typed, by default the 24 hours before its end, which is now."""
    until = moment(end, "--end") if end else now.replace(microsecond=0)
    since = moment(start, "--start") if start else until - DAY
    if since >= until:
        raise misused("--end", _BACKWARDS)
    return since, until


def utc(seconds: Number) -> str:
    """Return the time of a record for programs."""
    return iso8601.shown(datetime.fromtimestamp(seconds, UTC))


def shown(at: datetime | None) -> str | None:
    """Return an instant for programs."""
    return None if at is None else iso8601.shown(at.astimezone(UTC))


def local(at: datetime | Number | None) -> str:
    """Return a time for people: local, with its offset, for an hour comes twice in autumn."""
    if at is None:
        return ""
    time = (at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)).astimezone()
    return time.isoformat(sep=" ", timespec="seconds" if time.second else "minutes")


def day(at: datetime | None) -> str:
    """Return a day for people."""
    return "" if at is None else at.astimezone().date().isoformat()
