"""All data about a member, as a file that its own node fetches part by part.

A file is made at most once an hour for each member, and held in memory for as long: who is cut off
goes on where it was. It is in the access log before anything of it leaves.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import io
import time
from typing import Final, NoReturn
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.permissions import member_permissions
from consometers_node.i18n.text import text
from consometers_node.store import Store
from consometers_node.store.collective.access_log import Read, last_read, note_read
from consometers_node.store.collective.tables import MemberId
from consometers_quoalise import (
    BadRequest,
    ErrorType,
    ExportPart,
    ItemNotFound,
    OtherError,
    ResourceConstraint,
)
from consometers_quoalise.federation.permissions import PART_BYTES

from . import export

WHAT: Final = "own export"
"""Its name in the access log."""
DOCUMENT, RECORDS = "export.json", "records.csv"
"""The files in the ZIP file."""
HELD_FOR: Final = timedelta(hours=1)
MOST_BYTES: Final = 32 * 1024**2
"""Files of all members in memory; the oldest ones go."""

_LOOKS_EVERY_S = 60.0

_NOTHING = text("This collective holds nothing under your address.")
_ONCE_AN_HOUR = text("Your data was exported less than an hour ago: ask again in {minutes} min.")
_NO_PART = text("There are {parts} parts: ask for one of them.")
_FROM_THE_START = text("This export is no longer held: ask for part 1 again.")
_TOO_LARGE = text("Your export is too large to be sent this way: ask the collective for a copy.")


@dataclass(frozen=True, slots=True)
class _File:
    """An export in memory."""

    at: datetime
    changes: int
    """Entries that the member's register had."""
    content: bytes = field(repr=False)
    held_since: float = field(default_factory=time.monotonic)
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def parts(self) -> int:
        return -(-len(self.content) // PART_BYTES)

    def part(self, number: int) -> ExportPart:
        start = (number - 1) * PART_BYTES
        return ExportPart(
            id=self.id,
            time=self.at,
            size=len(self.content),
            sha256=sha256(self.content).hexdigest(),
            part=number,
            parts=self.parts,
            content=self.content[start : start + PART_BYTES],
        )


class OwnExports:
    """Makes and stores the exports that members request."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._store = store
        self._zone = zone
        self._held: dict[MemberId, _File] = {}
        self._turn = asyncio.Lock()

    async def part(self, jid: str, number: int) -> ExportPart:
        """Return a part of all that is held under an address, which its server has authenticated.

        Raises `QuoaliseError`.
        """
        self._drop_old()
        async with self._store.reading() as connection:
            member = await Members(connection, self._zone).by_jid(jid)
            if member is None:
                raise ItemNotFound(_NOTHING.by_language)
            changes = await member_permissions.changes(connection, member.id)
        file = self._held.get(member.id)
        if file is not None and file.changes != changes:
            # What was withdrawn or erased since must not leave.
            del self._held[member.id]
            file = None
        if file is None:
            if number != 1:
                raise ItemNotFound(_FROM_THE_START.by_language)
            # One at a time: making one takes memory.
            async with self._turn:
                file = self._held.get(member.id) or await self._make(member, changes)
        if number > file.parts:
            raise BadRequest(_NO_PART.fill(parts=file.parts).by_language)
        return file.part(number)

    async def run(self) -> NoReturn:
        """Drop expired exports until cancelled."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY_S)
            self._drop_old()

    def _drop_old(self) -> None:
        until = time.monotonic() - HELD_FOR.total_seconds()
        for member in [member for member, file in self._held.items() if file.held_since < until]:
            del self._held[member]

    async def _make(self, member: Member, changes: int) -> _File:
        now = datetime.now(UTC)
        async with self._store.reading() as connection:
            last = await last_read(connection, member.id, WHAT)
        if last is not None and now - HELD_FOR < last <= now:
            minutes = -((now - last - HELD_FOR) // timedelta(minutes=1))
            raise ResourceConstraint(_ONCE_AN_HOUR.fill(minutes=minutes).by_language)
        packed = io.BytesIO()
        async with self._store.reading() as connection:
            with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
                await _add(archive, DOCUMENT, now, export.as_json(connection, member))
                lines = await _add(archive, RECORDS, now, export.as_csv(connection, member))
        content, records = packed.getvalue(), lines - 1
        if len(content) > MOST_BYTES:
            raise OtherError("not-acceptable", ErrorType.CANCEL, _TOO_LARGE.by_language)
        async with self._store.writing() as connection:
            read = Read(at=now, who=member.pseudonym, what=WHAT, member=member.id, records=records)
            await note_read(connection, read)
        held = self._held
        while held and sum(len(file.content) for file in held.values()) + len(content) > MOST_BYTES:
            del held[next(iter(held))]
        file = held[member.id] = _File(now.replace(microsecond=0), changes, content)
        return file


async def _add(archive: ZipFile, name: str, at: datetime, parts: AsyncIterator[str]) -> int:
    """Write a file into an archive; return the number of its lines."""
    lines = 0
    info = ZipInfo(name, at.timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        async for part in parts:
            lines += part.count("\n")
            await asyncio.to_thread(file.write, part.encode())
    return lines
