"""Keys of the homes of a witness, by pseudonym, in the file of keys.

What a home that has left asked for, and what it asks again, stays authentic: its key is gone, and
what authenticates its requests, from which no key can be computed, is not.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date
import sqlite3

from consometers_node.store.clock import Confirmed
from consometers_node.store.keys import Keys
from consometers_node.wire.witness_requests import EnrolmentRequest
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.opening import KEYS_FOR


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """The keys that a witness holds of a home; `day_key` is None once the home has left."""

    first_day: date
    day_key: DayKey | None
    authentication_key: bytes = field(repr=False)

    def are_of(self, request: EnrolmentRequest) -> bool:
        """Return whether the home enrolled with this request."""
        key = request.day_key.authentication_key()
        return (self.first_day, self.authentication_key) == (request.day, key)


async def keys_of(keys: Keys, pseudonym: str) -> HeldKeys | None:
    """Return the keys of a home, if there are any."""
    query = """SELECT first_day, day, key, authentication FROM witnessed WHERE pseudonym = ?"""
    row = await keys.run(lambda file: file.execute(query, (pseudonym,)).fetchone())
    if row is None:
        return None
    first_day, day, key, authentication = row
    return HeldKeys(
        date.fromordinal(first_day),
        None if key is None else DayKey(date.fromordinal(day), key),
        authentication,
    )


async def day_keys(keys: Keys) -> dict[str, DayKey]:
    """Return the key of each home that has one."""
    query = "SELECT pseudonym, day, key FROM witnessed WHERE key IS NOT NULL"
    rows = await keys.run(lambda file: file.execute(query).fetchall())
    return {pseudonym: DayKey(date.fromordinal(day), key) for pseudonym, day, key in rows}


async def hold(keys: Keys, request: EnrolmentRequest) -> None:
    """Store the keys of a home that enrols, in place of former ones."""
    values = {
        "pseudonym": request.pseudonym,
        "day": request.day.toordinal(),
        "key": request.key,
        "authentication": request.day_key.authentication_key(),
    }

    def put(file: sqlite3.Connection) -> None:
        file.execute(
            """INSERT INTO witnessed VALUES (:pseudonym, :day, :day, :key, :authentication)
             ON CONFLICT (pseudonym) DO UPDATE
             SET first_day = :day, day = :day, key = :key, authentication = :authentication""",
            values,
        )

    await keys.run(put)


async def erase(keys: Keys, pseudonyms: Collection[str]) -> None:
    """Erase the keys of homes that leave."""
    rows = [(pseudonym,) for pseudonym in pseudonyms]
    change = "UPDATE witnessed SET key = NULL WHERE pseudonym = ?"
    await keys.run(lambda file: file.executemany(change, rows))


async def keep_only(keys: Keys, enrolled: Collection[str], departed: Collection[str]) -> None:
    """Forget the keys of homes that are not enrolled, and all keys of unknown ones.

    What authenticates the requests of homes that have left is kept.
    """

    def forget(file: sqlite3.Connection) -> None:
        stored = file.execute("SELECT pseudonym, key IS NOT NULL FROM witnessed").fetchall()
        unknown = [(each,) for each, _ in stored if each not in enrolled and each not in departed]
        left = [(each,) for each, has_key in stored if has_key and each in departed]
        file.executemany("DELETE FROM witnessed WHERE pseudonym = ?", unknown)
        file.executemany("UPDATE witnessed SET key = NULL WHERE pseudonym = ?", left)

    await keys.run(forget)


async def age(keys: Keys, now: Confirmed) -> bool:
    """Replace each key that is too old by that of the oldest day; return whether there was one."""
    oldest = now.astimezone(UTC).date() - KEYS_FOR

    def replace(file: sqlite3.Connection) -> bool:
        query = "SELECT pseudonym, day, key FROM witnessed WHERE day < ? AND key IS NOT NULL"
        rows = file.execute(query, (oldest.toordinal(),)).fetchall()
        file.executemany(
            "UPDATE witnessed SET day = ?, key = ? WHERE pseudonym = ?",
            (
                (
                    oldest.toordinal(),
                    DayKey(date.fromordinal(day), key).on(oldest).secret,
                    pseudonym,
                )
                for pseudonym, day, key in rows
            ),
        )
        return bool(rows)

    return await keys.run(replace)
