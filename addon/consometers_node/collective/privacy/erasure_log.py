"""What ended and was erased, in a file beside the database.

A database that is put back from a backup would bring back what members have withdrawn since. The
file tells it, and is kept apart: one line for each end and each erasure, with the number of a
permission, which says nothing of anyone. It only grows.

    {"permission": "6f9…", "state": "withdrawn", "at": "2026-06-12T09:30:00+00:00", "erased": true}
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
import json
import logging
import os
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...permission import State
from ...quoalise.text import text
from ...store import Store
from ...store.collective_tables import GivenId, GivenRegisterRow
from ..errors import CollectiveFault
from ..members.members import Members
from ..permissions import member_permissions
from .erasure import erase

FILE = "ended.jsonl"
"""Its name, in the folder of the node."""
EVERY_S = 30.0
_ENDS = frozenset({State.WITHDRAWN, State.TERMINATED, State.EXPIRED})
_BEGINS = '{"permission": "'
"""Every line."""

_LOGGER = logging.getLogger(__name__)

_STRANGE = text(
    "{file}, line {line}: this tells of nothing that ended. Nothing was applied: see that this is"
    " ended.jsonl, or a whole copy of it."
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A permission ended, or what it brought was erased after it had."""

    permission: GivenId
    state: State
    at: datetime
    erased: bool

    def line(self) -> str:
        told = {
            "permission": self.permission,
            "state": self.state,
            "at": self.at.isoformat(),
            "erased": self.erased,
        }
        return json.dumps(told)


class Strange(CollectiveFault):
    """A file tells something else than what ended."""

    condition = "unreadable"

    def __init__(self, file: Path, line: int) -> None:
        super().__init__(_STRANGE.fill(file=file, line=line))


class Journal:
    """Keeps the file up to date."""

    def __init__(self, store: Store, file: Path, *, every_s: float = EVERY_S) -> None:
        self._store = store
        self._file = file
        self._every_s = every_s
        self._seen = 0

    async def run(self) -> NoReturn:
        """Write what is new, again and again. Ends when it is cancelled, with nothing left."""
        known = await asyncio.to_thread(lambda: set(ended_in(self._file)))
        try:
            while True:
                try:
                    await self.write(known)
                except OSError as fault:
                    _LOGGER.warning("what ended is not in %s yet: %s", FILE, fault.strerror)
                else:
                    known.clear()
                await asyncio.sleep(self._every_s)
        finally:
            with suppress(OSError, SQLAlchemyError):
                await self.write(known)

    async def write(self, known: Collection[Ended] = ()) -> None:
        """Write what has ended since the last time, but for what is known."""
        query = (
            select(GivenRegisterRow.__table__)
            .where(GivenRegisterRow.seq > self._seen)
            .order_by(GivenRegisterRow.seq)
        )
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return
        found = (
            Ended(GivenId(row.given_id), State(row.state), row.at, row.erased is not None)
            for row in rows
            if State(row.state) is not State.GRANTED
        )
        if new := [one for one in found if one not in known]:
            await asyncio.to_thread(_append, self._file, new)
        self._seen = rows[-1].seq


def ended_in(file: Path) -> Iterator[Ended]:
    """Yield what a file tells, in its order; nothing of a line that was not written to its end."""
    if not file.exists():
        return
    for line in _lines(file):
        if (told := _read(line)) is not None:
            yield told


def whole(file: Path) -> list[Ended]:
    """Return what a file tells, like `ended_in`; but raise Strange on what was never of it.

    A power cut tears a line: it is the last one, or was written anew, whole, when the node came
    back.
    """
    lines = _lines(file)
    told = [_read(line) for line in lines]
    for number, line in enumerate(lines):
        last = number == len(lines) - 1 and (line.startswith(_BEGINS) or _BEGINS.startswith(line))
        again = any(one.startswith(line) for one in lines[number + 1 :])
        if told[number] is None and not (last or again):
            raise Strange(file, number + 1)
    return [one for one in told if one is not None]


async def reapply(store: Store, zone: ZoneInfo, ended: Iterable[Ended], at: datetime) -> int:
    """End and erase again what a file tells; return how many permissions that changed.

    Permissions that the database does not know were given after its backup: nothing is left of
    them. What time ends is left to the node, whose clock is confirmed. The caller calls
    `wipe` afterwards.
    """
    async with store.writing() as connection:
        members = Members(connection, zone)
        known = {
            permission.id
            for permission in await member_permissions.all_given(connection)
            if permission.state is State.GRANTED or permission.series
        }
        changed = set[GivenId]()
        for end in ended:
            if end.permission not in known:
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
    while True:
        async with store.reading() as connection:
            due = await member_permissions.due(connection, None)
        if not due:
            return len(changed)
        await erase(store, zone, due[0], at)


async def last_end(connection: AsyncConnection, ended: Iterable[Ended]) -> datetime | None:
    """Return when the last permission ended of which a file tells nothing; None if none has."""
    told = {end.permission for end in ended}
    query = select(GivenRegisterRow.given_id, GivenRegisterRow.at).where(
        GivenRegisterRow.state != State.GRANTED
    )
    rows = (await connection.execute(query)).tuples()
    return max((at for number, at in rows if number not in told), default=None)


def _lines(file: Path) -> list[str]:
    # What the disk had not written when the power was cut may be read as zeros.
    return file.read_text(encoding="utf-8", errors="replace").replace("\0", "").splitlines()


def _read(line: str) -> Ended | None:
    try:
        told = json.loads(line)
        at = datetime.fromisoformat(told["at"])
        state, erased = State(told["state"]), told["erased"]
        if (
            not isinstance(told["permission"], str)
            or at.tzinfo is None
            or state not in _ENDS
            or not isinstance(erased, bool)
        ):
            return None
        return Ended(GivenId(told["permission"]), state, at, erased=erased)
    except KeyError, TypeError, ValueError:
        return None


def _append(file: Path, ended: Iterable[Ended]) -> None:
    written = file.read_bytes() if file.exists() else b""
    # A line that a power cut left unfinished ends here.
    begin = "\n" if written and not written.endswith(b"\n") else ""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "a", encoding="utf-8") as lines:  # noqa: PTH123
        lines.write(begin + "".join(f"{one.line()}\n" for one in ended))
        lines.flush()
        os.fsync(lines.fileno())
