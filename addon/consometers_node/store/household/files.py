"""The files of energy that a household brought, month by month."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, func, insert, select

from consometers_node.series import Direction, Range
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.settings import set_setting, setting
from consometers_node.store.tables import HomeFileMonthRow, HomeFileRow

_EDITION, _STALE = "files.edition", "files.stale"
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=1)
"""Civil days that begin in a time, or end in it, go beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMonth:
    """The readings of a month: see `HomeFileMonthRow`."""

    direction: Direction
    kind: str
    month: date
    begins: datetime
    ends: datetime
    count: int
    missing: int
    readings: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """What a file says in one direction, of one kind, without its readings."""

    direction: Direction
    kind: str
    begins: datetime
    ends: datetime
    count: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFile:
    """A file that was kept, by its number."""

    id: int
    kept_at: datetime
    parts: Sequence[FilePart]


@dataclass(frozen=True, slots=True)
class StaleDays:
    """The whole UTC days of which files were added or removed, and which change was the last."""

    edition: int
    days: Range


async def stale_days(connection: AsyncConnection) -> StaleDays | None:
    """Return the days to read again; None if there are none."""
    stored = await setting(connection, _STALE)
    if stored is None:
        return None
    first, _, end = stored.partition("/")
    days = Range(datetime.fromisoformat(first), datetime.fromisoformat(end))
    return StaleDays(await _edition(connection), days)


async def note_read(connection: AsyncConnection, stale: StaleDays) -> None:
    """Note that these days were read again, unless files have changed since."""
    if stale.edition == await _edition(connection):
        await set_setting(connection, _STALE, None)


async def add_file(
    connection: AsyncConnection, months: Iterable[FileMonth], kept_at: datetime
) -> int:
    """Store a file, and return its number."""
    new = insert(HomeFileRow).values(kept_at=kept_at).returning(HomeFileRow.id)
    file_id: int = (await connection.execute(new)).scalar_one()
    rows = [{"file_id": file_id, **asdict(month)} for month in months]
    await connection.execute(insert(HomeFileMonthRow), rows)
    await _note(connection, min(row["begins"] for row in rows), max(row["ends"] for row in rows))
    return file_id


async def remove_files(connection: AsyncConnection, ids: Collection[int] | None = None) -> int:
    """Forget files, by default all of them; return how many there were."""
    files = [file for file in await all_files(connection) if ids is None or file.id in ids]
    gone = delete(HomeFileRow).where(HomeFileRow.id.in_([file.id for file in files]))
    await connection.execute(gone)
    parts = [part for file in files for part in file.parts]
    if parts:
        begins, ends = min(part.begins for part in parts), max(part.ends for part in parts)
        await _note(connection, begins, ends)
    return len(files)


async def all_files(connection: AsyncConnection) -> list[HomeFile]:
    """Return all files, the last one first."""
    row = HomeFileMonthRow
    query = (
        select(
            row.file_id,
            row.direction,
            row.kind,
            func.min(row.begins),
            func.max(row.ends),
            func.sum(row.count),
            func.sum(row.missing),
        )
        .group_by(row.file_id, row.direction, row.kind)
        .order_by(row.direction, row.kind)
    )
    parts: dict[int, list[FilePart]] = {}
    for file_id, direction, kind, begins, ends, count, missing in await connection.execute(query):
        part = FilePart(
            direction=direction,
            kind=kind,
            begins=begins,
            ends=ends,
            count=int(count),
            missing=int(missing),
        )
        parts.setdefault(file_id, []).append(part)
    files = select(HomeFileRow.id, HomeFileRow.kept_at).order_by(HomeFileRow.id.desc())
    return [
        HomeFile(id=file_id, kept_at=kept_at, parts=parts.get(file_id, ()))
        for file_id, kept_at in await connection.execute(files)
    ]


async def file_months(
    connection: AsyncConnection, directions: Collection[Direction], first: date, last: date
) -> list[FileMonth]:
    """Return the readings of some months, both included, those of the last file first."""
    query = (
        select(*columns_of(HomeFileMonthRow, FileMonth))
        .where(
            HomeFileMonthRow.direction.in_(directions),
            HomeFileMonthRow.month.between(first.replace(day=1), last.replace(day=1)),
        )
        .order_by(HomeFileMonthRow.file_id.desc(), HomeFileMonthRow.month)
    )
    return [FileMonth(**row._asdict()) for row in await connection.execute(query)]


async def _edition(connection: AsyncConnection) -> int:
    return int(await setting(connection, _EDITION) or 0)


async def _note(connection: AsyncConnection, begins: datetime, ends: datetime) -> None:
    """Note that what is known of a time has changed."""
    first = Range.of_day((begins - _BEFORE).astimezone(UTC).date()).start
    end = Range.of_day((ends + _AFTER).astimezone(UTC).date()).end
    if (before := await stale_days(connection)) is not None:
        first, end = min(first, before.days.start), max(end, before.days.end)
    await set_setting(connection, _EDITION, str(await _edition(connection) + 1))
    await set_setting(connection, _STALE, f"{first.isoformat()}/{end.isoformat()}")
