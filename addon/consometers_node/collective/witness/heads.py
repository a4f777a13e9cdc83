"""Whether this witness was set back: restored, or copied back from an earlier state of its folder.

What it answered since would be forgotten, and an hour opened twice. It knows by two things that a
database cannot take back:

- the file of keys has the secret of its heads, and the last head. Where it is missing, or is of
  another state than the database, one of both was restored;
- homes show the newest head that they have seen: where both were restored, it is not here.

From then on nothing is opened until a confirmed clock and the clock of a home agree on the time:
that instant is the mark, and no hour that began before it is ever opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import json
import logging
from secrets import token_bytes
import sqlite3

from sqlalchemy import func, insert, select

from consometers_node.i18n.text import Text, text
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.tables import WitnessHeadRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.keys import Keys
from consometers_node.store.settings import set_setting, setting
from consometers_protected_sums.heads import NO_ANSWER, SECRET_BYTES, Head, chained, epoch_of

_EPOCH = "witness.epoch"
_SET_BACK = "witness.set_back"
_SECRET, _LAST = "secret", "head"
_LOGGER = logging.getLogger(__name__)


class Evidence(StrEnum):
    """The evidence that a witness was set back."""

    KEYS = "keys"
    DATABASE = "database"
    SHOWN = "shown"
    RESTORED = "restored"


WORDS = {
    Evidence.KEYS: text("its keys are missing, as after a restored backup"),
    Evidence.DATABASE: text("its database is older than its keys, as after a restored backup"),
    Evidence.RESTORED: text("a backup was restored"),
    Evidence.SHOWN: text("a home showed an answer that it no longer has"),
}
_NOTICED = text("This witness was set back ({why}): it opens no hour that began before now.")


@dataclass(frozen=True, slots=True)
class SetBack:
    """The last set-back of a witness: its evidence, and the first instant whose hours it opens.

    While `opens_from` is None, no clock has confirmed the time yet, and nothing is opened.
    """

    evidence: Evidence
    opens_from: datetime | None

    @property
    def why(self) -> Text:
        return WORDS[self.evidence]


async def begin(connection: AsyncConnection) -> None:
    """Compare the database with the file of keys, at the start or where the file was lost."""
    secret, last = await connection.keys.run(_state)
    epoch = await setting(connection, _EPOCH)
    if secret is None and epoch is None:
        await _renew(connection)
    elif secret is None:
        await mark(connection, Evidence.KEYS)
    elif epoch != epoch_of(secret).hex() or (last is not None and not await _has(connection, last)):
        await mark(connection, Evidence.DATABASE)


async def current(connection: AsyncConnection) -> Head:
    """Return the current head."""
    secret, _ = await connection.keys.run(_state)
    if secret is None:
        await begin(connection)
        return await current(connection)
    return Head.of(secret, *await _newest(connection))


async def append(connection: AsyncConnection, answer: bytes) -> None:
    """Add the hash of an answer to the chain."""
    number, chain = await _newest(connection)
    row = {"number": number + 1, "chain": chained(chain, answer)}
    await connection.execute(insert(WitnessHeadRow).values(row))


async def remember(keys: Keys, head: Head) -> None:
    """Store the last head beside the keys, once the database has it and before it leaves."""
    await _store(keys, _LAST, head.packed())


async def shown(connection: AsyncConnection, packed: Iterable[bytes]) -> None:
    """Check the heads that a home shows: an authentic one that is not here proves a set-back.

    Where the file of keys was lost meanwhile, there is nothing to check them by, which proves it.
    """
    secret, _ = await connection.keys.run(_state)
    if secret is None:
        await begin(connection)
        return
    for head in map(Head.read, packed):
        if head.is_authentic(secret) and not await _has(connection, head):
            await mark(connection, Evidence.SHOWN)
            return


async def mark(connection: AsyncConnection, evidence: Evidence) -> None:
    """Note that this node was set back as a witness: from now on it opens nothing, until `agree`.

    Heads of before prove nothing after that: those to come are of another epoch.
    """
    _LOGGER.warning(_NOTICED.fill(why=WORDS[evidence]))
    await _renew(connection)
    await _note(connection, SetBack(evidence, None))


async def agree(connection: AsyncConnection, now: Confirmed) -> None:
    """Open hours again that begin after a confirmed instant, on which a home agrees."""
    back = await set_back(connection)
    assert back is not None
    await _note(connection, SetBack(back.evidence, now))


async def set_back(connection: AsyncConnection) -> SetBack | None:
    """Return the last set-back of this witness; None without any."""
    stored = await setting(connection, _SET_BACK)
    if stored is None:
        return None
    noted = json.loads(stored)
    opens_from = noted["opens_from"]
    return SetBack(
        Evidence(noted["evidence"]),
        None if opens_from is None else datetime.fromisoformat(opens_from),
    )


async def _renew(connection: AsyncConnection) -> None:
    """Draw a new secret, which begins an epoch."""
    secret = token_bytes(SECRET_BYTES)
    await _store(connection.keys, _SECRET, secret)
    await remember(connection.keys, Head.of(secret, *await _newest(connection)))
    await set_setting(connection, _EPOCH, epoch_of(secret).hex())


async def _note(connection: AsyncConnection, back: SetBack) -> None:
    opens_from = None if back.opens_from is None else back.opens_from.isoformat()
    noted = json.dumps({"evidence": back.evidence, "opens_from": opens_from})
    await set_setting(connection, _SET_BACK, noted)


async def _newest(connection: AsyncConnection) -> tuple[int, bytes]:
    number = await connection.scalar(select(func.max(WitnessHeadRow.number))) or 0
    return number, await _chain(connection, number) or NO_ANSWER


async def _chain(connection: AsyncConnection, number: int) -> bytes | None:
    query = select(WitnessHeadRow.chain).where(WitnessHeadRow.number == number)
    chain: bytes | None = await connection.scalar(query)
    return chain


async def _has(connection: AsyncConnection, head: Head) -> bool:
    return (await _chain(connection, head.number) or NO_ANSWER) == head.chain


def _state(file: sqlite3.Connection) -> tuple[bytes | None, Head | None]:
    state = dict(file.execute("SELECT name, value FROM state").fetchall())
    last = state.get(_LAST)
    return state.get(_SECRET), None if last is None else Head.read(last)


async def _store(keys: Keys, name: str, value: bytes) -> None:
    change = """INSERT INTO state VALUES (:name, :value)
     ON CONFLICT (name) DO UPDATE SET value = :value"""
    await keys.run(lambda file: file.execute(change, {"name": name, "value": value}))
