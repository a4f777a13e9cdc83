"""The homes that enrolled with this witness, and their opened sums."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import json
import struct
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    delete,
    func,
    insert,
    select,
    update,
)

from consometers_node.collective.errors import CollectiveFault
from consometers_node.i18n.text import text
from consometers_node.series import Direction
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.tables import (
    WitnessEnrolmentRow,
    WitnessLedgerRow,
    WitnessOpeningRow,
    WitnessVerificationRow,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting
from consometers_node.wire.witness_requests import (
    MAX_CLOCK_DIFFERENCE,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
)
from consometers_protected_sums.exchange import Refusal
from consometers_protected_sums.heads import Head
from consometers_protected_sums.opening import FINGERPRINT_BYTES, KEYS_FOR, Enrolment
from consometers_protected_sums.reports import Subject
from consometers_quoalise.federation.permissions import LEAST_MINIMUM

from . import codes, keys as keys_file
from .codes import BadCode, Code

DEPARTED_FOR = timedelta(days=367)
"""How long a departed home’s pseudonym stays. The database lets it go after 366 days."""
VERIFIED_FOR = KEYS_FOR + timedelta(days=2)
"""How long fingerprints of verified reports are stored; the database ensures 36 days."""
_TOMORROW = timedelta(days=1)
_RECENT = timedelta(days=30)
_REFUSED = "witness.refused"
_VERIFIED = struct.Struct(f">I{FINGERPRINT_BYTES}s")
_HAS_NOT_LEFT = WitnessEnrolmentRow.left_at.is_(None)
_WAS_OPENED = WitnessLedgerRow.reason.is_(None)


class OtherEnrolment(CollectiveFault):
    """A pseudonym is enrolled on other terms, or has left."""

    condition = "conflict"
    words = text(
        "This pseudonym is already enrolled on other terms, or has left: withdraw the permission,"
        " and grant a new one with another code."
    )


class NotEnrolled(CollectiveFault):
    """A pseudonym is unknown, or the request is not signed with its key."""

    condition = "not-enrolled"
    words = text(
        "No home is enrolled under this pseudonym with this key. If its key was lost here, the"
        " home enrols again by its code."
    )


class WrongTime(CollectiveFault):
    """The clocks of both ends differ too much."""

    condition = "wrong-time"
    words = text("The request is dated {at}, and it is {now} here: set the clock that is wrong.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """The work of a witness for a collective.

    `minimum` is the largest that its homes were promised. `opened` counts sums, of which the last
    one was opened at `last_opening`; `refused` those that stayed closed, and requests that were
    turned down, by the reason, for those who run this witness alone. `recent` homes enrolled in the
    last 30 days.
    """

    collective: str
    minimum: int = LEAST_MINIMUM
    homes: int = 0
    recent: int = 0
    departed: int = 0
    since: datetime | None = None
    opened: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    last_opening: datetime | None = None

    def public(self, count: int) -> int | None:
        """Return a count that anybody may read; None for one below the minimum of homes."""
        return count if count >= self.minimum else None


async def enrol(
    connection: AsyncConnection, request: EnrolmentRequest, head: Head, now: datetime
) -> tuple[EnrolmentReceipt, bool]:
    """Enrol a home by its code; return its receipt, and whether its key is new.

    The same again gets the same. With other keys, a home whose keys were lost enrols again.
    Raises BadCode, OtherEnrolment and WrongTime.
    """
    code_id = await codes.check(
        connection,
        request.code,
        collective=request.collective,
        pseudonym=request.pseudonym,
        at=now,
    )
    terms = {
        "collective": request.collective,
        "need": request.need,
        "version": request.version,
        "need_sha256": request.need_sha256,
        "minimum": request.minimum,
        "directions": " ".join(sorted(request.directions)),
    }
    row = await _row(connection, request.pseudonym)
    held = await keys_file.keys_of(connection.keys, request.pseudonym)
    if row is not None:
        if row.code_id != code_id:
            raise BadCode
        if row.left_at is not None or any(getattr(row, name) != terms[name] for name in terms):
            raise OtherEnrolment
        if held is not None and held.are_of(request):
            return _receipt(request, row.enrolled_at, head), False
    earliest = now.date() - KEYS_FOR
    if row is not None and held is not None and held.day_key is not None:
        earliest = max(earliest, held.day_key.day)
    if not earliest <= request.day <= now.date() + _TOMORROW:
        raise WrongTime(at=request.day, now=now.date())
    enrolled_at = now.replace(microsecond=0)
    if row is None:
        values = {"pseudonym": request.pseudonym, "code_id": code_id, "enrolled_at": enrolled_at}
        await connection.execute(insert(WitnessEnrolmentRow).values(values | terms))
    else:
        # Its number stays: what was opened of it stays marked in the ledger.
        same = WitnessEnrolmentRow.id == row.id
        again = update(WitnessEnrolmentRow).where(same).values(enrolled_at=enrolled_at)
        await connection.execute(again)
    # Without a receipt, the home enrols with the same key again, whatever the database has of it.
    await keys_file.hold(connection.keys, request)
    return _receipt(request, enrolled_at, head), True


def _receipt(request: EnrolmentRequest, enrolled_at: datetime, head: Head) -> EnrolmentReceipt:
    return EnrolmentReceipt(enrolled_at, request.mac(enrolled_at), head.packed())


async def leave(connection: AsyncConnection, request: SignedRequest, now: datetime) -> datetime:
    """Note that a home leaves, and forget its key; return when it left. Raises NotEnrolled."""
    row = await _signed(connection, request)
    left_at: datetime | None = row.left_at
    if left_at is not None:
        return left_at
    await depart(connection, request.pseudonym, now)
    return now.replace(microsecond=0)


async def depart(connection: AsyncConnection, pseudonym: str, at: datetime) -> bool:
    """Note that a home has left, if it is enrolled; return whether it was."""
    done = await connection.execute(
        update(WitnessEnrolmentRow)
        .where(WitnessEnrolmentRow.pseudonym == pseudonym, _HAS_NOT_LEFT)
        .values(left_at=at)
    )
    await keys_file.erase(connection.keys, [pseudonym])
    return done.rowcount > 0


async def revoke(connection: AsyncConnection, code_id: str, at: datetime) -> Code:
    """Revoke a code: its home, if there is one, leaves. Raises NotFound."""
    await codes.revoke(connection, code_id, at)
    query = select(WitnessEnrolmentRow.pseudonym).where(WitnessEnrolmentRow.code_id == code_id)
    pseudonym = await connection.scalar(query)
    if pseudonym is not None:
        await depart(connection, pseudonym, at)
    return await codes.by_number(connection, code_id)


async def departures(connection: AsyncConnection) -> list[tuple[str, datetime]]:
    """Return the homes that have left, and when."""
    query = select(WitnessEnrolmentRow.pseudonym, WitnessEnrolmentRow.left_at).where(
        WitnessEnrolmentRow.left_at.is_not(None)
    )
    return [(pseudonym, left_at) for pseudonym, left_at in await connection.execute(query)]


async def look(
    connection: AsyncConnection, request: SignedRequest, head: Head, now: datetime
) -> OpeningsSummary:
    """Return the opened sums of a home, and no reason why others stayed closed.

    Raises NotEnrolled and WrongTime.
    """
    row = await _signed(connection, request)
    if abs(request.at - now) > MAX_CLOCK_DIFFERENCE:
        raise WrongTime(at=request.at, now=now.replace(microsecond=0))
    byte = func.substr(WitnessLedgerRow.enrolments, row.id // 8 + 1, 1, type_=LargeBinary()).label(
        "byte"
    )
    query = (
        select(
            WitnessLedgerRow.direction,
            func.count().label("hours"),
            func.min(WitnessLedgerRow.homes).label("least"),
            byte,
        )
        .where(WitnessLedgerRow.collective == row.collective, _WAS_OPENED)
        .group_by(WitnessLedgerRow.direction, byte)
    )
    opened: dict[Direction, int] = {}
    least: list[int] = []
    for direction, hours, homes, bits in await connection.execute(query):
        if bits and bits[0] >> row.id % 8 & 1:
            opened[direction] = opened.get(direction, 0) + hours
            least.append(homes)
    rows = select(WitnessVerificationRow.invalid).where(
        WitnessVerificationRow.collective == row.collective
    )
    invalid = sum(row.id in numbers(bits) for bits in (await connection.execute(rows)).scalars())
    homes = await connection.scalar(
        select(func.count())
        .select_from(WitnessEnrolmentRow)
        .where(WitnessEnrolmentRow.collective == row.collective, _HAS_NOT_LEFT)
    )
    homes = homes or 0
    return OpeningsSummary(
        enrolled_at=row.enrolled_at,
        left_at=row.left_at,
        opened=opened,
        least_homes=min(least, default=None),
        invalid=invalid,
        homes=homes if homes >= row.minimum else None,
        head=head.packed(),
    )


type Fingerprint = tuple[int, int | None, datetime | None]
"""Of the enrolments of a collective: it changes with each home that comes, comes back or leaves."""


async def fingerprint(connection: AsyncConnection, collective: str) -> Fingerprint:
    """Return it as it is now."""
    query = select(
        func.count(),
        func.max(WitnessEnrolmentRow.id),
        func.max(WitnessEnrolmentRow.enrolled_at),
    ).where(WitnessEnrolmentRow.collective == collective, _HAS_NOT_LEFT)
    count, newest, last = (await connection.execute(query)).one()
    return count, newest, last


async def enrolments(
    connection: AsyncConnection, collective: str
) -> tuple[dict[str, Enrolment], dict[str, int]]:
    """Return the homes that are enrolled for a collective and have not left, and their ids.

    A home whose key is lost is not enrolled before it enrols again.
    """
    day_keys = await keys_file.day_keys(connection.keys)
    query = select(
        WitnessEnrolmentRow.id,
        WitnessEnrolmentRow.pseudonym,
        WitnessEnrolmentRow.directions,
        WitnessEnrolmentRow.minimum,
    ).where(WitnessEnrolmentRow.collective == collective, _HAS_NOT_LEFT)
    sets: dict[str, frozenset[Direction]] = {}
    enrolled: dict[str, Enrolment] = {}
    ids: dict[str, int] = {}
    for id_, pseudonym, words, minimum in await connection.execute(query):
        if (day_key := day_keys.get(pseudonym)) is None:
            continue
        if words not in sets:
            sets[words] = frozenset(map(Direction, words.split()))
        enrolled[pseudonym] = Enrolment(day_key, sets[words], minimum)
        ids[pseudonym] = id_
    return enrolled, ids


async def verified(connection: AsyncConnection, subject: Subject) -> dict[int, bytes]:
    """Return the fingerprints of an hour's verified reports, by enrolment, until it is opened."""
    query = select(WitnessVerificationRow.fingerprints).where(*_of_subject(subject))
    return dict(_VERIFIED.iter_unpack(await connection.scalar(query) or b""))


async def note_verified(
    connection: AsyncConnection,
    subject: Subject,
    fingerprints: Mapping[int, bytes],
    invalid: Collection[int],
    now: datetime,
) -> None:
    """Add fingerprints of an hour's reports, by enrolment, none of which was verified before.

    Some of them are invalid.
    """
    columns = WitnessVerificationRow.fingerprints, WitnessVerificationRow.invalid
    query = select(*columns).where(*_of_subject(subject))
    before = (await connection.execute(query)).one_or_none()
    packed = b"".join([_VERIFIED.pack(*each) for each in fingerprints.items()])
    if before is None:
        row = {
            "collective": subject.collective,
            "direction": subject.direction,
            "hour": subject.hour,
            "fingerprints": packed,
            "invalid": bitmap(invalid),
            "at": now,
        }
        await connection.execute(insert(WitnessVerificationRow).values(row))
        return
    values = {
        "fingerprints": before.fingerprints + packed,
        "invalid": bitmap({*numbers(before.invalid), *invalid}),
        "at": now,
    }
    change = update(WitnessVerificationRow).where(*_of_subject(subject))
    await connection.execute(change.values(values))


async def forget_verified(
    connection: AsyncConnection, subject: Subject, opened: Collection[int]
) -> None:
    """Forget the fingerprints of homes that the ledger marks; their hour is never verified again.

    What homes read of invalid reports stays.
    """
    of_subject = _of_subject(subject)
    # Of the homes that are opened, all were verified. Mostly there are no others.
    of_them_alone = (
        func.length(WitnessVerificationRow.fingerprints) == _VERIFIED.size * len(opened),
        func.length(WitnessVerificationRow.invalid) == 0,
    )
    gone = delete(WitnessVerificationRow).where(*of_subject, *of_them_alone)
    if (await connection.execute(gone)).rowcount:
        return
    query = select(WitnessVerificationRow.fingerprints).where(*of_subject)
    fingerprints = (await connection.execute(query)).scalar_one()
    left = [each for each in _VERIFIED.iter_unpack(fingerprints) if each[0] not in opened]
    packed = b"".join([_VERIFIED.pack(*each) for each in left])
    change = update(WitnessVerificationRow).where(*of_subject)
    await connection.execute(change.values(fingerprints=packed))


async def forget(connection: AsyncConnection, now: Confirmed) -> None:
    """Forget homes and codes that ended long ago, and how reports of forgotten keys were verified.

    What the ledger has of these homes names nobody any more.
    """
    before = now - DEPARTED_FOR
    await connection.execute(
        delete(WitnessVerificationRow).where(WitnessVerificationRow.at < now - VERIFIED_FOR)
    )
    await connection.execute(
        delete(WitnessEnrolmentRow).where(WitnessEnrolmentRow.left_at < before)
    )
    await codes.forget(connection, before)
    await forget_keys(connection)


async def forget_keys(connection: AsyncConnection) -> None:
    """Forget the keys of homes that have left or are unknown."""
    query = select(WitnessEnrolmentRow.pseudonym, WitnessEnrolmentRow.left_at)
    rows = (await connection.execute(query)).all()
    enrolled = {pseudonym for pseudonym, left_at in rows if left_at is None}
    departed = {pseudonym for pseudonym, left_at in rows if left_at is not None}
    await keys_file.keep_only(connection.keys, enrolled, departed)


async def overview(
    connection: AsyncConnection, collectives: tuple[str, ...], now: datetime
) -> list[Witnessed]:
    """Return the work for each of some collectives."""
    homes = {
        row.collective: row
        for row in await connection.execute(
            select(
                WitnessEnrolmentRow.collective,
                func.count().label("all"),
                func.count(WitnessEnrolmentRow.left_at).label("departed"),
                func.min(WitnessEnrolmentRow.enrolled_at).label("since"),
                func.max(WitnessEnrolmentRow.minimum).label("minimum"),
                func.count()
                .filter(WitnessEnrolmentRow.enrolled_at > now - _RECENT, _HAS_NOT_LEFT)
                .label("recent"),
            ).group_by(WitnessEnrolmentRow.collective)
        )
    }
    opened: dict[str, int] = {}
    refused = await _turned_down(connection)
    sums = select(WitnessLedgerRow.collective, WitnessLedgerRow.reason, func.count()).group_by(
        WitnessLedgerRow.collective, WitnessLedgerRow.reason
    )
    for collective, reason, count in await connection.execute(sums):
        if reason is None:
            opened[collective] = count
        else:
            counts = refused.setdefault(collective, {})
            counts[reason] = counts.get(reason, 0) + count
    # An answer that opened nothing would say that enough homes were asked for.
    newest = (
        select(WitnessLedgerRow.collective, func.max(WitnessOpeningRow.at))
        .join_from(
            WitnessLedgerRow, WitnessOpeningRow, WitnessLedgerRow.opening_id == WitnessOpeningRow.id
        )
        .where(_WAS_OPENED)
        .group_by(WitnessLedgerRow.collective)
    )
    last = dict((await connection.execute(newest)).tuples().all())
    return [
        Witnessed(
            collective=collective,
            minimum=row.minimum if (row := homes.get(collective)) else LEAST_MINIMUM,
            homes=row.all - row.departed if row else 0,
            recent=row.recent if row else 0,
            departed=row.departed if row else 0,
            since=row.since if row else None,
            opened=opened.get(collective, 0),
            refused=refused.get(collective, {}),
            last_opening=last.get(collective),
        )
        for collective in collectives
    ]


async def note_refusals(
    connection: AsyncConnection, collective: str, reasons: set[Refusal]
) -> None:
    """Count a refused request of a collective, for each reason."""
    all_counts = await _turned_down(connection)
    counts = all_counts.setdefault(collective, {})
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    await set_setting(connection, _REFUSED, json.dumps(all_counts))


def bitmap(numbers: Collection[int]) -> bytes:
    """Return the bitmap of homes in a sum: home n is bit n % 8 of byte n // 8.

    An hour of 10,000 homes takes 1,250 bytes, so a home takes 3 bytes per direction and day.
    """
    bits = bytearray(max(numbers, default=-1) // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return bytes(bits)


def numbers(bits: bytes) -> Iterator[int]:
    """Yield the numbers of a bitmap."""
    for at, byte in enumerate(bits):
        if byte:
            yield from (at * 8 + bit for bit in range(8) if byte >> bit & 1)


def _of_subject(subject: Subject) -> tuple[ColumnElement[bool], ...]:
    return (
        WitnessVerificationRow.collective == subject.collective,
        WitnessVerificationRow.direction == subject.direction,
        WitnessVerificationRow.hour == subject.hour,
    )


async def _turned_down(connection: AsyncConnection) -> dict[str, dict[str, int]]:
    stored = await setting(connection, _REFUSED)
    counts: dict[str, dict[str, int]] = json.loads(stored) if stored else {}
    return counts


async def _signed(connection: AsyncConnection, request: SignedRequest) -> Row[Any]:
    """Return the enrolment of the home that signed a request. Raises NotEnrolled."""
    row = await _row(connection, request.pseudonym)
    held = await keys_file.keys_of(connection.keys, request.pseudonym)
    if (
        row is None
        or held is None
        or row.collective != request.collective
        or not request.is_authentic(held.authentication_key)
    ):
        raise NotEnrolled
    return row


async def _row(connection: AsyncConnection, pseudonym: str) -> Row[Any] | None:
    query = select(WitnessEnrolmentRow).where(WitnessEnrolmentRow.pseudonym == pseudonym)
    return (await connection.execute(query)).one_or_none()
