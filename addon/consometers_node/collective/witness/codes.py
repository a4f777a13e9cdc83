"""Codes of this witness for households: each enrols one home, under one pseudonym.

The database holds the hash of a code alone: a lost one cannot be read from it again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import secrets

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, update

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import WitnessCodeRow, WitnessEnrolmentRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_protected_sums.codes import draw, hashed

MOST_AT_ONCE = 500
MOST_DAYS = 3660
USUAL_DAYS = 90

_ID_BYTES = 4
_NO_SUCH = text("There is no code {id}: “witness codes list” lists them.")
_IS_USED = exists().where(WitnessEnrolmentRow.code_id == WitnessCodeRow.id)


class BadCode(CollectiveFault):
    """A code enrols nobody here; the words are the same for each reason."""

    condition = "bad-code"
    words = text(
        "This code is not valid here: it may be mistyped, used by another home, expired or revoked."
    )


class CodeState(StrEnum):
    """Whether a code may be used, or why not."""

    UNUSED = "unused"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code, by its number; `enrolled_at` is when its home enrolled last, if one did."""

    id: str
    collective: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    enrolled_at: datetime | None = None
    left_at: datetime | None = None

    def state(self, at: datetime) -> CodeState:
        if self.revoked_at is not None:
            return CodeState.REVOKED
        if self.enrolled_at is not None:
            return CodeState.USED
        return CodeState.UNUSED if at < self.expires_at else CodeState.EXPIRED


_COLUMNS = columns_of(
    WitnessCodeRow,
    Code,
    enrolled_at=WitnessEnrolmentRow.enrolled_at,
    left_at=WitnessEnrolmentRow.left_at,
)
_WITH_HOME = select(*_COLUMNS).outerjoin_from(
    WitnessCodeRow, WitnessEnrolmentRow, WitnessEnrolmentRow.code_id == WitnessCodeRow.id
)


async def make(
    connection: AsyncConnection,
    *,
    collective: str,
    at: datetime,
    expires_at: datetime,
    id: str | None = None,
) -> tuple[Code, str]:
    """Make a code for homes of a collective; return it as it is printed too: it is not stored."""
    printed = draw()
    code = Code(
        id=id or secrets.token_hex(_ID_BYTES),
        collective=collective,
        created_at=at,
        expires_at=expires_at,
    )
    row = {
        "id": code.id,
        "code_hash": hashed(printed),
        "collective": collective,
        "created_at": at,
        "expires_at": expires_at,
    }
    await connection.execute(insert(WitnessCodeRow).values(row))
    return code, printed


async def check(
    connection: AsyncConnection, code: str, *, collective: str, pseudonym: str, at: datetime
) -> str:
    """Return the number of the code by which this home may enrol. Raises BadCode."""
    query = (
        select(WitnessCodeRow.id, WitnessCodeRow.expires_at, WitnessEnrolmentRow.pseudonym)
        .outerjoin_from(
            WitnessCodeRow, WitnessEnrolmentRow, WitnessEnrolmentRow.code_id == WitnessCodeRow.id
        )
        .where(
            WitnessCodeRow.code_hash == hashed(code),
            WitnessCodeRow.collective == collective,
            WitnessCodeRow.revoked_at.is_(None),
        )
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None or (
        at >= row.expires_at if row.pseudonym is None else row.pseudonym != pseudonym
    ):
        raise BadCode
    number: str = row.id
    return number


async def all_codes(connection: AsyncConnection) -> list[Code]:
    """Return all codes, the newest first."""
    query = _WITH_HOME.order_by(WitnessCodeRow.created_at.desc(), WitnessCodeRow.id)
    return [Code(**row) for row in (await connection.execute(query)).mappings()]


async def by_code(connection: AsyncConnection, code: str) -> Code:
    """Return what is stored of a code, as it is printed. Raises BadCode."""
    stored = await _only(connection, WitnessCodeRow.code_hash == hashed(code))
    if stored is None:
        raise BadCode
    return stored


async def by_number(connection: AsyncConnection, id: str) -> Code:
    """Return a code by its number. Raises NotFound."""
    code = await _only(connection, WitnessCodeRow.id == id)
    if code is None:
        raise NotFound(_NO_SUCH.fill(id=id))
    return code


async def revoke(connection: AsyncConnection, id: str, at: datetime) -> None:
    """Revoke a code, if there is one. `register.revoke` also has its home leave."""
    valid = WitnessCodeRow.id == id, WitnessCodeRow.revoked_at.is_(None)
    await connection.execute(update(WitnessCodeRow).where(*valid).values(revoked_at=at))


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Forget the codes that ended before an instant, but those of homes that are here."""
    ended = func.coalesce(WitnessCodeRow.revoked_at, WitnessCodeRow.expires_at) < before
    await connection.execute(delete(WitnessCodeRow).where(ended, ~_IS_USED))


async def _only(connection: AsyncConnection, which: ColumnElement[bool]) -> Code | None:
    row = (await connection.execute(_WITH_HOME.where(which))).mappings().one_or_none()
    return None if row is None else Code(**row)
