"""A log of permissions that ended and records that were erased, in a file beside the database.

A database that is restored from a backup would bring back what members have withdrawn since. The
file is kept apart: one line for each end and each erasure, with the id of a permission, which says
nothing of anyone. It only grows. A witness writes homes that left it in there too.

    {"permission": "6f9…", "state": "withdrawn", "at": "2026-06-12T09:30:00+00:00", "erased": true}
"""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
import json
import logging
import os
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from consometers_node.collective.errors import CollectiveFault
from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.witness import register as witness_register
from consometers_node.i18n.text import text
from consometers_node.permission import State
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection

from .erasure import erase_due

FILE = "ended.jsonl"
"""Its name, in the folder of the node."""
EVERY_S = 30.0
_ENDS = frozenset({State.WITHDRAWN, State.TERMINATED, State.EXPIRED})
_BEGINS = '{"permission": "'
"""All lines."""

_NOT_WRITTEN = text("Withdrawals could not be written into {file} yet: {why}.")
_LOGGER = logging.getLogger(__name__)

_STRANGE = text(
    "{file}, line {line}: unreadable entry. Nothing was applied: check that this is "
    "ended.jsonl, or a complete copy of it."
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A permission ended, or its records were erased afterwards."""

    permission: MemberPermissionId
    state: State
    at: datetime
    erased: bool

    def line(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)


class NotErasureLog(CollectiveFault):
    """A file is no log of ended permissions."""

    condition = "unreadable"

    def __init__(self, file: Path, line: int) -> None:
        super().__init__(_STRANGE.fill(file=file, line=line))


class ErasureLog:
    """Keeps the file up to date."""

    def __init__(self, store: Store, file: Path, *, every_s: float = EVERY_S) -> None:
        self._store = store
        self._file = file
        self._every_s = every_s
        self._last = 0
        self._departed = set[str]()

    async def run(self) -> NoReturn:
        """Write new entries until cancelled, and those left at the end."""
        written = await asyncio.to_thread(lambda: set(read_ended(self._file)))
        try:
            while True:
                try:
                    await self.write(written)
                except OSError as fault:
                    _LOGGER.warning(_NOT_WRITTEN.fill(file=FILE, why=fault.strerror))
                else:
                    written.clear()
                await asyncio.sleep(self._every_s)
        finally:
            with suppress(OSError, SQLAlchemyError):
                await self.write(written)

    async def write(self, written: Collection[Ended] = ()) -> None:
        """Write the entries since the last time that the file lacks."""
        async with self._store.reading() as connection:
            entries = await member_permissions.register(connection, after=self._last)
            departed = await witness_register.departures(connection)
        ended = [
            Ended(entry.permission, entry.state, entry.at, entry.erased is not None)
            for entry in entries
            if entry.state is not State.GRANTED
        ]
        ended += [
            Ended(MemberPermissionId(pseudonym), State.WITHDRAWN, at, erased=False)
            for pseudonym, at in departed
            if pseudonym not in self._departed
        ]
        if new := [end for end in ended if end not in written]:
            await asyncio.to_thread(_append, self._file, new)
        self._departed.update(pseudonym for pseudonym, _ in departed)
        self._last = entries[-1].seq if entries else self._last


def read_ended(file: Path) -> list[Ended]:
    """Return the entries of a file in its order, without incomplete lines."""
    lines = _lines(file) if file.exists() else ()
    return [end for line in lines if (end := _parse(line)) is not None]


def read_strictly(file: Path) -> list[Ended]:
    """Return the entries of a file. Raises NotErasureLog where a line was never one.

    A power cut tears a line: it is the last one, or was written again, whole, when the node came
    back.
    """
    lines = _lines(file)
    for place, line in enumerate(lines):
        later = lines[place + 1 :]
        is_last = not later and (line.startswith(_BEGINS) or _BEGINS.startswith(line))
        is_torn = is_last or any(other.startswith(line) for other in later)
        if _parse(line) is None and not is_torn:
            raise NotErasureLog(file, place + 1)
    return [end for line in lines if (end := _parse(line)) is not None]


async def reapply(store: Store, zone: ZoneInfo, ended: Iterable[Ended], at: datetime) -> int:
    """End and erase again what a file says; return how many permissions that changed.

    Permissions that the database does not know were granted after its backup: nothing is left of
    them. Expiry is left to the node, whose clock is confirmed. The caller calls `wipe` afterwards.
    """
    async with store.writing() as connection:
        members = Members(connection, zone)
        current = {
            permission.id
            for permission in await member_permissions.all_permissions(connection)
            if permission.state is State.GRANTED or permission.series
        }
        changed = set[MemberPermissionId]()
        for end in ended:
            if await witness_register.depart(connection, end.permission, end.at):
                changed.add(end.permission)
            if end.permission not in current:
                continue
            permission = await member_permissions.get(connection, end.permission)
            if permission.state is State.GRANTED:
                changed.add(permission.id)
                if end.state is State.WITHDRAWN:
                    await member_permissions.withdraw(
                        members, permission.member, permission.id, end.at, erase=end.erased
                    )
                else:
                    await member_permissions.terminate(members, permission.id, end.at)
            if end.erased and permission.series:
                changed.add(permission.id)
                await member_permissions.erase_at_once(connection, permission.id, at)
    await erase_due(store, zone, None, at)
    return len(changed)


async def last_end(connection: AsyncConnection, ended: Iterable[Ended]) -> datetime | None:
    """Return when the last permission ended that a file lacks; None if it has all."""
    written = {end.permission for end in ended}
    return max(
        (
            entry.at
            for entry in await member_permissions.register(connection)
            if entry.state is not State.GRANTED and entry.permission not in written
        ),
        default=None,
    )


def _lines(file: Path) -> list[str]:
    # What was not yet on the disk at a power cut may be read as zeros.
    return file.read_text(encoding="utf-8", errors="replace").replace("\0", "").splitlines()


def _parse(line: str) -> Ended | None:
    try:
        values = json.loads(line)
        permission, erased = values["permission"], values["erased"]
        state, at = State(values["state"]), datetime.fromisoformat(values["at"])
    except KeyError, TypeError, ValueError:
        return None
    is_valid = (
        isinstance(permission, str) and isinstance(erased, bool) and state in _ENDS and at.tzinfo
    )
    return Ended(MemberPermissionId(permission), state, at, erased) if is_valid else None


def _append(file: Path, ended: Iterable[Ended]) -> None:
    before = file.read_bytes() if file.exists() else b""
    # A line that a power cut left unfinished ends here.
    begin = "\n" if before and not before.endswith(b"\n") else ""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "a", encoding="utf-8") as lines:  # noqa: PTH123
        lines.write(begin + "".join(f"{end.line()}\n" for end in ended))
        lines.flush()
        os.fsync(lines.fileno())
