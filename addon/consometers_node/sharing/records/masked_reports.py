"""Records of a home that only sums may read: masked with the key of the day.

What a home keeps of an enrolment is secret, and in the file of keys alone: the key of the last day
that it had confirmed, from which none of an earlier day can be computed; the secret of its nonces,
which it shares with nobody; and the key of what it asks its witness for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
import secrets
import struct
from typing import Self

from consometers_node.series import Record, Series
from consometers_node.store import PermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_protected_sums.keys import KEY_BYTES, DayKey
from consometers_protected_sums.reports import MOST_WH, NONCE_SECRET_BYTES, Report, Subject
from consometers_quoalise import MaskedReport, Reports

_PACKED = struct.Struct(f">I{KEY_BYTES}s{NONCE_SECRET_BYTES}s{KEY_BYTES}s")


@dataclass(frozen=True, slots=True)
class HomeKeys:
    """A home's secrets of an enrolment. Its `repr` shows the day alone."""

    day_key: DayKey
    nonce_secret: bytes = field(repr=False)
    authentication_key: bytes = field(repr=False)

    @classmethod
    def new(cls, day: date) -> Self:
        """Draw them, on the day of the enrolment."""
        first = DayKey(day, secrets.token_bytes(KEY_BYTES))
        return cls(first, secrets.token_bytes(NONCE_SECRET_BYTES), first.authentication_key())

    def on(self, day: date) -> Self:
        """Return them with the key of this day or of a later one. Raises `PastKey`."""
        return replace(self, day_key=self.day_key.on(day))

    @property
    def are_first(self) -> bool:
        """Whether the key is that of the enrolment, which the witness receives."""
        return self.authentication_key == self.day_key.authentication_key()


async def load_keys(connection: AsyncConnection, permission: PermissionId) -> HomeKeys | None:
    """Return the keys of an enrolment, as long as there are any."""
    query = "SELECT keys FROM home WHERE permission = ?"
    row = await connection.keys.run(lambda keys: keys.execute(query, (permission,)).fetchone())
    if row is None:
        return None
    day, key, nonce_secret, authentication_key = _PACKED.unpack(*row)
    return HomeKeys(DayKey(date.fromordinal(day), key), nonce_secret, authentication_key)


async def keep_keys(
    connection: AsyncConnection, permission: PermissionId, keys: HomeKeys | None
) -> None:
    """Store them in place of the former ones, at once; None forgets them."""
    if keys is None:
        statement = "DELETE FROM home WHERE permission = :permission"
        packed = None
    else:
        statement = """INSERT INTO home VALUES (:permission, :keys)
         ON CONFLICT (permission) DO UPDATE SET keys = :keys"""
        day, key = keys.day_key.day.toordinal(), keys.day_key.secret
        packed = _PACKED.pack(day, key, keys.nonce_secret, keys.authentication_key)
    values = {"permission": permission, "keys": packed}
    await connection.keys.run(lambda stored: stored.execute(statement, values))


def mask(
    keys: HomeKeys, collective: str, permission: str, series: Series, records: Iterable[Record]
) -> Reports:
    """Return hourly records as they leave for a collective (bare JID).

    A mean power in W over an hour is so many Wh. Values beyond what a contract can carry are
    reported as its bounds.
    """
    reports = []
    for record in records:
        subject = Subject(collective, series.direction, record.start)
        wh = min(max(record.value, 0), MOST_WH)
        report = Report.of(wh, subject, keys.day_key, keys.nonce_secret)
        reports.append(MaskedReport(record.start, report.nonce, report.masked))
    return Reports(
        permission=permission,
        direction=series.direction,
        day=keys.day_key.day,
        reports=tuple(reports),
    )
