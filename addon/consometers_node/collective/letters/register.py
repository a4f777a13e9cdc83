"""Letters that administrators wrote to members: stored until they are a year old."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update

from consometers_node.collective.errors import CollectiveFault
from consometers_node.collective.members.members import MemberKind
from consometers_node.i18n.text import text
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.tables import (
    MemberId,
    MemberLetterRow,
    MemberPermissionRow,
    MemberRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_quoalise import Letter, State

MOST_A_DAY = 3
"""To one member: its node refuses the sixth."""
KEPT_FOR = timedelta(days=365)
SENT_FOR = timedelta(days=30)
"""How long a letter to an absent node is sent again."""
_A_DAY = timedelta(days=1)
_AT_ONCE = 1_000

_GRANTS = exists().where(
    MemberPermissionRow.member_id == MemberRow.id, MemberPermissionRow.state == State.GRANTED
)


class TooManyLetters(CollectiveFault):
    """A member got as many letters today as it may."""

    condition = "too-many-messages"
    words = text(
        "A member receives at most 3 messages a day from you. Nothing was sent: try tomorrow."
    )


class NobodyToWriteTo(CollectiveFault):
    """No member can receive a letter."""

    condition = "nobody-to-write-to"
    words = text(
        "Nobody can receive this message: only homes and public buildings with a valid permission"
        " can."
    )


class Delivery(StrEnum):
    """The state of a letter."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    GIVEN_UP = "given-up"


DELIVERIES = {
    Delivery.WAITING: text("not received yet"),
    Delivery.DELIVERED: text("received"),
    Delivery.REFUSED: text("refused by its node"),
    Delivery.GIVEN_UP: text("not received within 30 days"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLetter:
    """A letter: see `MemberLetterRow`."""

    id: str
    member_id: MemberId
    written_at: datetime
    body: Mapping[str, str] = field(repr=False)
    delivered_at: datetime | None
    refusal: str | None

    def delivery(self, now: datetime) -> Delivery:
        if self.delivered_at is not None:
            return Delivery.DELIVERED
        if self.refusal is not None:
            return Delivery.REFUSED
        return Delivery.GIVEN_UP if self.written_at < now - SENT_FOR else Delivery.WAITING

    @property
    def letter(self) -> Letter:
        """The letter in the protocol's terms."""
        return Letter(id=self.id, time=self.written_at, body=self.body)


async def recipients(connection: AsyncConnection, members: Collection[MemberId]) -> list[MemberId]:
    """Return those of these members that can receive a letter. Raises NobodyToWriteTo."""
    able = MemberRow.jid.is_not(None), MemberRow.kind != MemberKind.COLLECTIVE, _GRANTS
    query = select(MemberRow.id).where(*able).order_by(MemberRow.id)
    wanted = frozenset(members)
    some = [each for each in (await connection.execute(query)).scalars() if each in wanted]
    if not some:
        raise NobodyToWriteTo
    return some


async def write(
    connection: AsyncConnection,
    members: Collection[MemberId],
    body: Mapping[str, str],
    *,
    key: str,
    at: datetime,
) -> int:
    """Store a letter to each of some members; return to how many.

    Raises NobodyToWriteTo, TooManyLetters, and IntegrityError if the `key` of the form was used.
    """
    some = await recipients(connection, members)
    of_the_day = MemberLetterRow.written_at > at - _A_DAY
    counted = (
        select(MemberLetterRow.member_id)
        .where(of_the_day)
        .group_by(MemberLetterRow.member_id)
        .having(func.count() >= MOST_A_DAY)
    )
    if not set((await connection.execute(counted)).scalars()).isdisjoint(some):
        raise TooManyLetters
    rows = [
        {"id": _id(key, member), "member_id": member, "written_at": at, "body": dict(body)}
        for member in some
    ]
    for first in range(0, len(rows), _AT_ONCE):
        await connection.execute(insert(MemberLetterRow), rows[first : first + _AT_ONCE])
    return len(rows)


async def waiting(connection: AsyncConnection, now: datetime) -> list[tuple[str, str]]:
    """Return the letters that are to be sent, each with its member's address (bare JID)."""
    query = (
        select(MemberLetterRow.id, MemberRow.jid)
        .join(MemberRow)
        .where(MemberLetterRow.delivered_at.is_(None), MemberLetterRow.refusal.is_(None))
        .where(MemberLetterRow.written_at >= now - SENT_FOR)
        .where(MemberRow.jid.is_not(None), _GRANTS)
        .order_by(MemberLetterRow.written_at, MemberLetterRow.id)
    )
    return [(letter_id, jid) for letter_id, jid in await connection.execute(query)]


async def get(connection: AsyncConnection, letter_id: str) -> SentLetter | None:
    """Return a letter, unless it was erased meanwhile."""
    query = select(*columns_of(MemberLetterRow, SentLetter)).where(MemberLetterRow.id == letter_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else SentLetter(**row._asdict())


async def of_member(connection: AsyncConnection, member: MemberId) -> list[SentLetter]:
    """Return the letters to a member, the last first."""
    query = (
        select(*columns_of(MemberLetterRow, SentLetter))
        .where(MemberLetterRow.member_id == member)
        .order_by(MemberLetterRow.written_at.desc(), MemberLetterRow.id)
    )
    return [SentLetter(**row._asdict()) for row in await connection.execute(query)]


async def recent(connection: AsyncConnection, now: datetime) -> list[SentLetter]:
    """Return the letters that may still be on their way, or were a moment ago; the last first."""
    query = (
        select(*columns_of(MemberLetterRow, SentLetter))
        .where(MemberLetterRow.written_at >= now - SENT_FOR)
        .order_by(MemberLetterRow.written_at.desc(), MemberLetterRow.id)
    )
    return [SentLetter(**row._asdict()) for row in await connection.execute(query)]


async def note_delivered(connection: AsyncConnection, letter_id: str, at: datetime) -> None:
    """Note that a letter has arrived."""
    await _note(connection, letter_id, delivered_at=at)


async def note_refused(connection: AsyncConnection, letter_id: str, condition: str) -> None:
    """Note that a letter was refused, and is not sent again."""
    await _note(connection, letter_id, refusal=condition)


async def forget(connection: AsyncConnection, now: Confirmed) -> None:
    """Delete letters that are too old."""
    old = MemberLetterRow.written_at < now - KEPT_FOR
    await connection.execute(delete(MemberLetterRow).where(old))


async def _note(connection: AsyncConnection, letter_id: str, **values: object) -> None:
    noted = update(MemberLetterRow).where(MemberLetterRow.id == letter_id).values(values)
    await connection.execute(noted)


def _id(key: str, member: MemberId) -> str:
    """Return the id of a form's letter to a member: a form that is sent twice writes one."""
    return str(UUID(bytes=sha256(f"{key}{member}".encode()).digest()[:16], version=4))
