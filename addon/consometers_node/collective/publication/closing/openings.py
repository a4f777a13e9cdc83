"""Openings of masked reports: the homes in a sum, the requests to a witness, its answers.

An opening is stored before it is sent: the same is asked until it is answered, with an id that is
made of its homes. Each time, its homes are verified first; their sums follow once all have passed.
docs/protected-sums-specification.md has the scheme.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import batched, islice
import json
import struct
from typing import Final, NamedTuple
from uuid import UUID

from consometers_node.collective.disclosure.closing import MonthGroups, close_counts
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Cell
from consometers_node.series import Direction
from consometers_node.store.clock import Confirmed
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    StoredReport,
    forget_before,
    openings,
    store_answer,
)
from consometers_node.store.collective.tables import GroupId, MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_protected_sums.exchange import (
    Answer,
    Group,
    MaskedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_protected_sums.field import MODULUS, encode
from consometers_protected_sums.pooling import Groups
from consometers_protected_sums.reports import MOST_WH, Verification, outputs, share
from consometers_quoalise.federation.protected_sums import (
    GROUPS_IN_PART,
    HOMES_IN_PART,
    Opening,
    VerificationRequest,
)

GIVEN_UP_AFTER: Final = timedelta(days=34)
"""A day before the witness forgets the first keys: what is not opened by then is left out."""

_MINUTES = 60
_HOMES_AT_HAND = 16_384
"""Whose names are not converted each hour."""
_HOME = struct.Struct(">16sH16s32s")
_FIRST_DAY = date(1970, 1, 1)
_GIVEN_UP = "given-up"


class BadAnswer(ValueError):
    """A witness answered a request that it was not sent."""


class _Group(NamedTuple):
    """A group of an opening: its communes, how many homes of the request it has, masked sums."""

    communes: Groups[GroupId]
    homes: int
    masked: int
    squares: int


class _Home(NamedTuple):
    """A home in an opening: its row of the request, the masked value, the masked square."""

    row: bytes
    value: int
    square: int


@dataclass(frozen=True, slots=True)
class OpenedCells:
    """What a witness opened in an hour, by communes; and why something of it stays closed."""

    cells: Mapping[Groups[GroupId], Cell]
    reason: Reason | None = None


def opening(
    direction: Direction,
    start: datetime,
    witness: str,
    groups: Mapping[Groups[GroupId], Sequence[StoredReport]],
    *,
    minimum: int,
    key: bytes,
    at: datetime,
) -> StoredOpening:
    """Return the request to a witness for an hour; each group has at least `minimum` homes.

    The reports are verified under `key`, once: these verifiers are sent again as they are.
    """
    verification = Verification(key, direction, start)
    verified = {
        communes: list(_verified(reports, verification)) for communes, reports in groups.items()
    }
    return _opening(direction, start, witness, verified, minimum=minimum, key=key, at=at)


def _verified(reports: Sequence[StoredReport], verification: Verification) -> Iterator[_Home]:
    asked = verification.ask(report.masked for report in reports)
    for report, (verifier, (value, square)) in zip(reports, asked, strict=True):
        day = report.day.toordinal() - _FIRST_DAY.toordinal()
        reduced = encode(number % MODULUS for number in verifier)
        row = _HOME.pack(_bytes(report.permission), day, report.nonce, reduced)
        yield _Home(row, value, square)


def _opening(
    direction: Direction,
    start: datetime,
    witness: str,
    groups: Mapping[Groups[GroupId], Sequence[_Home]],
    *,
    minimum: int,
    key: bytes,
    at: datetime,
) -> StoredOpening:
    stored, request = [], []
    for communes, some in sorted(groups.items(), key=lambda item: sorted(item[0])):
        masked = sum(home.value for home in some) % MODULUS
        squares = sum(home.square for home in some) % MODULUS
        stored.append([sorted(communes), len(some), hex(masked), hex(squares)])
        request += [home.row for home in some]
    written = json.dumps({"minimum": minimum, "groups": stored})
    return StoredOpening(direction, start, witness, written, key, b"".join(request), at)


def homes(stored: StoredOpening) -> list[MemberPermissionId]:
    """Return the permissions of the homes in an opening."""
    return [MemberPermissionId(_uuid(home)) for home, *_ in _HOME.iter_unpack(stored.request)]


def verifications(stored: StoredOpening) -> list[VerificationRequest]:
    """Return the parts of the request to verify the homes, always the same: they have no sum."""
    parts: list[list[Group]] = [[]]
    room = HOMES_IN_PART
    rows = _HOME.iter_unpack(stored.request)
    for number, group in enumerate(_groups(stored)):
        left = group.homes
        while left:
            if not room or len(parts[-1]) == GROUPS_IN_PART:
                parts.append([])
                room = HOMES_IN_PART
            count = min(left, room)
            some = tuple(
                Part(_uuid(home), _day(day), nonce, verifier)
                for home, day, nonce, verifier in islice(rows, count)
            )
            parts[-1].append(Group(str(number), some))
            left, room = left - count, room - count
    name = _id(stored)
    return [
        VerificationRequest(
            id=name,
            verification_key=stored.verification_key,
            direction=stored.direction,
            hour=stored.start,
            part=place,
            parts=len(parts),
            groups=tuple(groups),
        )
        for place, groups in enumerate(parts, 1)
    ]


def sums_to_open(stored: StoredOpening) -> list[Opening]:
    """Return the parts of the request to open the sums of these homes, always the same."""
    name = _id(stored)
    sums = [
        MaskedSum(str(number), group.masked, group.squares)
        for number, group in enumerate(_groups(stored))
    ]
    parts = [*batched(sums, GROUPS_IN_PART, strict=False)]
    return [
        Opening(id=name, part=place, parts=len(parts), sums=some)
        for place, some in enumerate(parts, 1)
    ]


def invalid_homes(refused: Iterable[RefusedHomes]) -> set[MemberPermissionId]:
    """Return the homes whose reports do not prove their value."""
    return _named(each for each in refused if each.reason is Refusal.INVALID)


def refused_homes(
    stored: StoredOpening, refused: Iterable[RefusedHomes]
) -> set[MemberPermissionId]:
    """Return the homes in the way of an opening: all of them, where a refusal names none.

    Raises BadAnswer where it names others.
    """
    asked, named = set(homes(stored)), _named(refused)
    if not named <= asked:
        raise BadAnswer
    return named if all(each.pseudonyms for each in refused) else asked


def _named(refused: Iterable[RefusedHomes]) -> set[MemberPermissionId]:
    return {MemberPermissionId(home) for each in refused for home in each.pseudonyms}


def without(
    stored: StoredOpening, refused: Collection[MemberPermissionId], reports: Sequence[StoredReport]
) -> StoredOpening | None:
    """Return an opening without homes that a witness refused; None if too few are left.

    `reports` are those of the hour. Groups that have become too small are put together.
    """
    by_home = {report.permission: report for report in reports}
    rows = zip(homes(stored), batched(stored.request, _HOME.size, strict=True), strict=True)
    left: dict[Groups[GroupId], list[_Home]] = {}
    for group in _groups(stored):
        left[group.communes] = [
            # What was verified once is not verified again.
            _Home(bytes(row), *outputs(share(by_home[home].masked)))
            for home, row in islice(rows, group.homes)
            if home not in refused and home in by_home
        ]
    minimum = int(json.loads(stored.groups)["minimum"])
    counts = {communes: len(some) for communes, some in left.items() if some}
    # The groups of an opening are its month's already.
    passed, _ = close_counts(counts, MonthGroups(), minimum)
    groups = {
        frozenset[GroupId]().union(*units): [home for unit in units for home in left[unit]]
        for units in passed
    }
    if not groups:
        return None
    return _opening(
        stored.direction,
        stored.start,
        stored.witness,
        groups,
        minimum=minimum,
        key=stored.verification_key,
        at=stored.asked_at,
    )


def written_answer(stored: StoredOpening, answers: Sequence[Answer]) -> str:
    """Return an answer as it is stored. Raises BadAnswer where it is none to this opening."""
    groups = _groups(stored)
    seen: list[str] = []
    opened, refused = [], []
    for answer in answers:
        names = sorted(answer.groups)
        seen += names
        if not names or not set(names) <= set(map(str, range(len(groups)))):
            raise BadAnswer
        numbers = sorted(map(int, names))
        if isinstance(answer, RefusedSum):
            refused.append([numbers, answer.reason.value])
            continue
        count = sum(groups[number].homes for number in numbers)
        if answer.homes != count or not 0 <= answer.wh <= count * MOST_WH:
            raise BadAnswer
        opened.append([numbers, answer.wh])
    if sorted(seen) != sorted(map(str, range(len(groups)))):
        raise BadAnswer
    return json.dumps({"opened": opened, "refused": refused})


def too_few(refused: Iterable[RefusedHomes]) -> str:
    """Return the answer to an opening of which these refusals leave no group of enough homes."""
    reasons = sorted({each.reason for each in refused})
    return json.dumps({"opened": [], "refused": [[[], reason.value] for reason in reasons]})


def given_up() -> str:
    """Return the answer to an opening that stays closed.

    The witness has forgotten its keys by now; or it refuses homes whose sums it was sent.
    """
    return json.dumps({"opened": [], "refused": [[[], _GIVEN_UP]]})


async def give_up(connection: AsyncConnection, now: Confirmed) -> None:
    """Leave out of their hours what a witness can no longer open, and forget its reports."""
    last = now - GIVEN_UP_AFTER
    for pending in await openings(connection, unanswered=True):
        if pending.start < last:
            await store_answer(connection, pending, given_up())
    await forget_before(connection, last)


def read_answer(stored: StoredOpening) -> OpenedCells:
    """Return the opened sums. The opening is answered."""
    assert stored.answer is not None
    groups = _groups(stored)
    answer = json.loads(stored.answer)
    cells = {
        frozenset[GroupId]().union(*(groups[number].communes for number in numbers)): Cell(
            wh * _MINUTES, sum(groups[number].homes for number in numbers)
        )
        for numbers, wh in answer["opened"]
    }
    refused = {reason for _, reason in answer["refused"]}
    return OpenedCells(cells, _reason(refused))


def _reason(refused: set[str]) -> Reason | None:
    if refused - {Refusal.DOMINANCE, Refusal.TOO_FEW}:
        return Reason.NOT_OPENED
    if Refusal.TOO_FEW in refused:
        return Reason.BELOW_THRESHOLD
    return Reason.DOMINANCE if refused else None


@lru_cache(_HOMES_AT_HAND)
def _bytes(permission: str) -> bytes:
    return bytes.fromhex(permission.replace("-", ""))


@lru_cache(64)
def _day(days: int) -> date:
    return _FIRST_DAY + timedelta(days)


@lru_cache(_HOMES_AT_HAND)
def _uuid(home: bytes) -> str:
    digits = home.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _groups(stored: StoredOpening) -> list[_Group]:
    return [
        _Group(frozenset(map(GroupId, communes)), homes, int(masked, 16), int(squares, 16))
        for communes, homes, masked, squares in json.loads(stored.groups)["groups"]
    ]


def _id(stored: StoredOpening) -> str:
    """Return a UUID that is made of groups and homes, so that the same has the same name.

    The sums are not in it: a witness that knows all else would find them by trying.
    """
    sizes = [group.homes for group in _groups(stored)]
    described = f"{stored.direction} {stored.start.astimezone(UTC).isoformat()} {sizes}\n"
    digest = sha256(described.encode() + stored.verification_key + stored.request).digest()
    return str(UUID(bytes=digest[:16], version=4))
