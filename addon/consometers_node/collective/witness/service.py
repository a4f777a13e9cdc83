"""A witness at work: it enrols homes, opens sums of enough of them once, and forgets old keys.

Homes are verified first, then the sums of those that passed are opened. An answer is written down,
with the homes that it concerns, before it leaves. A witness that was set back to an earlier state
(`heads`) opens no hour that began before it knew.
"""

from array import array
import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from itertools import chain
from secrets import token_bytes
import time
from typing import Any, NoReturn
from xml.etree.ElementTree import fromstring, tostring

from sqlalchemy import Row, insert, select

from consometers_node.collective.errors import CollectiveFault
from consometers_node.i18n.text import text
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.tables import WitnessLedgerRow, WitnessOpeningRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.exclusive import lock
from consometers_node.store.settings import WITNESS_SECRET, secret_or_new
from consometers_node.wire.witness_requests import (
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
)
from consometers_protected_sums.errors import NotElements, RootOfUnity
from consometers_protected_sums.exchange import (
    Answer,
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_protected_sums.keyed_draw import SECRET_BYTES
from consometers_protected_sums.opening import Enrolment, Moments, Verdict, Witness
from consometers_protected_sums.reports import Subject
from consometers_quoalise import BadRequest, NotAuthorized, ResourceConstraint
from consometers_quoalise.federation.protected_sums import (
    Opened,
    Opening,
    VerificationRequest,
    Verified,
    read_opened,
    write_opened,
)

from . import heads, register
from .keys import age

MOST_HOMES = 250_000
"""In all parts of a verification."""
PARTS_WITHIN_S = 600.0
"""How long parts are held until the last one comes, and what passed until its sums come."""

_FROM_THE_FIRST = text(
    "Earlier parts of this request are missing: send its verification again, from part 1."
)
_ALTERED = text("This request differs from an earlier one with the same id: use another id.")
_TOO_MANY = text("A verification has at most {most} homes.")
_OTHER_GROUPS = text("An opening has one sum of each group that was verified.")
_NOT_VERIFIABLE = text("A verifier or a sum is no element of the field, or the key is no key.")
_CLOCK = text("The witness’s clock is not confirmed: ask again later.")
_IS_SET_BACK = text(
    "The witness was set back to an earlier state, and opens nothing until the clock of a home"
    " agrees with its own: ask again later."
)


class NotWitnessed(CollectiveFault):
    """This node is no witness for a collective."""

    condition = "forbidden"
    words = text(
        "This node is no witness for that collective: check the address, or ask the operator to"
        " add it to “witness.for” in the settings."
    )


class NotReady(CollectiveFault):
    """This witness was set back, and its clock is not confirmed: the home is to ask again."""

    condition = "not-ready"
    words = text("The clock of this witness is not confirmed yet: ask again later.")


@dataclass(frozen=True, slots=True)
class _Parts[Sent: (VerificationRequest, Opening)]:
    """The parts of a request that have come."""

    received: list[Sent]
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class _Homes:
    """The homes of a collective, as they were at a fingerprint of the register."""

    fingerprint: register.Fingerprint
    enrolments: Mapping[str, Enrolment]
    witness: Witness
    ids: dict[str, int]
    pseudonyms: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Passed:
    """A verification that passed: its homes, by group, and what opens their sums.

    An answered one has no `masks`.
    """

    id: str
    hashed: str
    subject: Subject
    groups: Mapping[str, tuple[str, ...]]
    homes: _Homes
    masks: Mapping[str, Moments]
    at: float = field(default_factory=time.monotonic)

    def holds(self, homes: _Homes) -> bool:
        """Return whether none of its homes has left, or enrolled again."""
        return homes is self.homes or all(
            homes.enrolments.get(home) == self.homes.enrolments[home]
            for group in self.groups.values()
            for home in group
        )


class WitnessService:
    """The witness of some collectives, by their bare addresses."""

    def __init__(self, store: Store, clock: Clock, collectives: Collection[str]) -> None:
        """Prepare; `begin` comes before anything is opened."""
        self.collectives = tuple(collectives)
        self._store = store
        self._clock = clock
        self._asked: dict[str, _Parts[VerificationRequest]] = {}
        self._passed: dict[str, _Passed] = {}
        self._sums: dict[str, _Parts[Opening]] = {}
        self._homes: dict[str, _Homes] = {}
        self._one = asyncio.Lock()

    async def begin(self) -> None:
        """Check whether the witness was set back, and forget keys that a power cut left."""
        async with self._store.writing() as connection:
            await lock(connection, "witness")
            await heads.begin(connection)
            await register.forget_keys(connection)

    async def run(self, every_s: float) -> NoReturn:
        """Forget old keys, and homes that left long ago, again and again."""
        while True:
            await asyncio.sleep(every_s)
            await self.forget()

    async def forget(self) -> None:
        """Forget what is too old, if the clock is confirmed."""
        self._drop_old_parts()
        async with self._store.writing() as connection:
            now = await self._clock.confirmed(connection)
            if now is None:
                return
            await lock(connection, "witness")
            if await age(connection.keys, now):
                # Also in memory: all keys are read again.
                self._homes.clear()
                self._passed.clear()
                await connection.keys.rewrite()
            await register.forget(connection, now)
            for collective, homes in list(self._homes.items()):
                if homes.fingerprint != await register.fingerprint(connection, collective):
                    del self._homes[collective]
                    self._passed.pop(collective, None)

    async def enrol(self, request: EnrolmentRequest) -> tuple[EnrolmentReceipt, bool]:
        """Enrol a home; return its receipt, and whether its key is new. Raises CollectiveFault."""
        self._check(request.collective)
        await self._look_at(request.heads)
        async with self._store.writing() as connection:
            await lock(connection, "witness")
            # A home that comes back within a second leaves the fingerprint as it was.
            self._homes.pop(request.collective, None)
            head = await heads.current(connection)
            return await register.enrol(connection, request, head, self._clock.now())

    async def leave(self, request: SignedRequest) -> DepartureReceipt:
        """Note that a home leaves, and return the receipt. Raises CollectiveFault."""
        self._check(request.collective)
        await self._look_at(request.heads)
        async with self._store.withdrawing() as connection:
            return DepartureReceipt(await register.leave(connection, request, self._clock.now()))

    async def look(self, request: SignedRequest) -> OpeningsSummary:
        """Return the opened sums of a home. Raises CollectiveFault."""
        self._check(request.collective)
        await self._look_at(request.heads)
        async with self._store.writing() as connection:
            await lock(connection, "witness")
            head = await heads.current(connection)
            summary = await register.look(connection, request, head, self._clock.now())
            back = await heads.set_back(connection)
            if back is not None and back.opens_from is None:
                # The clock of the home agrees: `look` checks its time.
                now = await self._clock.confirmed(connection)
                if now is None:
                    raise NotReady
                await heads.agree(connection, now)
        return summary

    async def verify_reports(self, collective: str, request: VerificationRequest) -> Verified:
        """Take a part of a verification; answer the last one. Raises a `QuoaliseError` to refuse.

        The sums of homes that pass may follow: see `open_sums`.
        """
        self._begin(collective)
        parts = self._asked[collective] = _with(self._asked.get(collective), request)
        if sum(len(group.parts) for part in parts.received for group in part.groups) > MOST_HOMES:
            del self._asked[collective]
            raise BadRequest(_TOO_MANY.fill(most=MOST_HOMES).by_language)
        refused: tuple[RefusedHomes, ...] = ()
        if request.part == request.parts:
            async with self._one:
                refused = await self._verify(collective, request, _together(parts.received))
        return Verified(id=request.id, part=request.part, parts=request.parts, refused=refused)

    async def open_sums(self, collective: str, opening: Opening) -> Opened:
        """Take a part of an opening; answer the last one. Raises a `QuoaliseError` to refuse.

        It is of the last verification of this collective, which passed.
        """
        self._begin(collective)
        passed = self._passed_as(collective, opening.id)
        parts = self._sums[collective] = _with(self._sums.get(collective), opening)
        sums = [each for part in parts.received for each in part.sums]
        is_last = opening.part == opening.parts
        names = [each.group for each in sums]
        if len(sums) > len(passed.groups) or (is_last and {*names} != passed.groups.keys()):
            del self._sums[collective]
            raise BadRequest(_OTHER_GROUPS.by_language)
        answers: tuple[Answer, ...] = ()
        if is_last:
            async with self._one:
                answers = await self._answer(self._passed_as(collective, opening.id), sums)
        return Opened(id=opening.id, part=opening.part, parts=opening.parts, answers=answers)

    def _begin(self, collective: str) -> None:
        if collective not in self.collectives:
            raise NotAuthorized
        self._drop_old_parts()

    def _passed_as(self, collective: str, request: str) -> _Passed:
        passed = self._passed.get(collective)
        if passed is None or passed.id != request:
            raise ResourceConstraint(_FROM_THE_FIRST.by_language)
        return passed

    def _check(self, collective: str) -> None:
        if collective not in self.collectives:
            raise NotWitnessed

    async def _look_at(self, shown: Collection[bytes]) -> None:
        """Check whether the witness was set back, even in a request that is refused."""
        async with self._store.writing() as connection:
            await lock(connection, "witness")
            await heads.shown(connection, shown)

    def _drop_old_parts(self) -> None:
        latest = time.monotonic() - PARTS_WITHIN_S
        held: tuple[dict[str, Any], ...] = self._asked, self._passed, self._sums
        for each in held:
            for collective in [name for name, parts in each.items() if parts.at <= latest]:
                del each[collective]

    async def _lock(self, connection: AsyncConnection) -> datetime:
        """Return the time, once nothing else of a witness is being written."""
        now = await self._clock.unless_wrong(connection)
        if now is None:
            raise ResourceConstraint(_CLOCK.by_language)
        await lock(connection, "witness")
        return now

    async def _verify(
        self, collective: str, request: VerificationRequest, groups: Sequence[Group]
    ) -> tuple[RefusedHomes, ...]:
        """Return the homes in the way. If there are none, what opens their sums is held."""
        self._passed.pop(collective, None)
        hashed = _hash(request, groups)
        subject = Subject(collective, request.direction, request.hour)
        head, refused = None, list[RefusedHomes]()
        masks: Mapping[str, Moments] = {}
        async with self._store.writing() as connection:
            now = await self._lock(connection)
            homes = await self._homes_of(connection, collective)
            stored = await _stored(connection, collective, request.id)
            if stored is not None and stored.verification_sha256 != hashed:
                raise BadRequest(_ALTERED.by_language)
            # What was answered already is answered again, once its sums come.
            if stored is None and await _is_gone_by(connection, subject):
                refused = [RefusedHomes(Refusal.OPENED_BEFORE)]
            elif stored is None:
                key = request.verification_key
                refused, masks, _ = await _checked(connection, subject, groups, key, homes, now=now)
            if refused:
                reasons = {each.reason for each in refused}
                await register.note_refusals(connection, collective, reasons)
                if Refusal.INVALID in reasons:
                    await heads.append(connection, bytes.fromhex(hashed))
                    head = await heads.current(connection)
        if head is not None:
            await heads.remember(self._store.keys, head)
        if not refused:
            by_group = {
                group.name: tuple(part.pseudonym for part in group.parts) for group in groups
            }
            self._passed[collective] = _Passed(request.id, hashed, subject, by_group, homes, masks)
        return tuple(refused)

    async def _answer(self, passed: _Passed, sums: Sequence[MaskedSum]) -> tuple[Answer, ...]:
        """Return what was answered to the same request before, or open it now."""
        hashed = _hash_of_sums(passed, sums)
        async with self._store.writing() as connection:
            now = await self._lock(connection)
            stored = await _stored(connection, passed.subject.collective, passed.id)
            if stored is not None and stored.request_sha256 != hashed:
                raise BadRequest(_ALTERED.by_language)
            if stored is not None:
                answers = read_opened(fromstring(stored.answer)).answers  # noqa: S314 - our own
            else:
                answers = await self._open(connection, passed, sums, hashed, now=now)
            head = await heads.current(connection)
        await heads.remember(self._store.keys, head)
        return answers

    async def _open(
        self,
        connection: AsyncConnection,
        passed: _Passed,
        sums: Sequence[MaskedSum],
        hashed: str,
        *,
        now: datetime,
    ) -> tuple[Answer, ...]:
        subject, collective = passed.subject, passed.subject.collective
        homes = await self._homes_of(connection, collective)
        changed = None
        if await _is_gone_by(connection, subject):
            changed = Refusal.OPENED_BEFORE
        elif not passed.holds(homes):
            changed = Refusal.NOT_ENROLLED
        if changed is not None:
            # Nothing was opened, nor is any home marked.
            await register.note_refusals(connection, collective, {changed})
            return (RefusedSum(frozenset(passed.groups), changed),)
        answers = tuple(homes.witness.open(subject, passed.masks, sums))
        opened = Opened(id=passed.id, part=1, parts=1, answers=answers)
        row = {
            "collective": collective,
            "request": passed.id,
            "verification_sha256": passed.hashed,
            "request_sha256": hashed,
            "answer": tostring(write_opened(opened), encoding="unicode"),
            "at": now,
        }
        stored = insert(WitnessOpeningRow).values(row).returning(WitnessOpeningRow.id)
        opening_id = (await connection.execute(stored)).scalar_one()
        await heads.append(connection, bytes.fromhex(hashed))
        ids = {group: [homes.ids[home] for home in some] for group, some in passed.groups.items()}
        await connection.execute(
            insert(WitnessLedgerRow),
            [
                {
                    "opening_id": opening_id,
                    "number": number,
                    "collective": collective,
                    "direction": subject.direction,
                    "hour": subject.hour,
                    "homes": sum(len(ids[group]) for group in answer.groups),
                    "reason": None if isinstance(answer, OpenedSum) else answer.reason,
                    "enrolments": register.bitmap(
                        [home for group in answer.groups for home in ids[group]]
                    ),
                }
                for number, answer in enumerate(answers, 1)
            ],
        )
        await register.forget_verified(connection, subject, {*chain.from_iterable(ids.values())})
        return answers

    async def _homes_of(self, connection: AsyncConnection, collective: str) -> _Homes:
        """Return the homes of a collective, which are read again after a change."""
        fingerprint = await register.fingerprint(connection, collective)
        homes = self._homes.get(collective)
        if homes is None or homes.fingerprint != fingerprint:
            enrolled, ids = await register.enrolments(connection, collective)
            pseudonyms = {id_: pseudonym for pseudonym, id_ in ids.items()}
            secret = await secret_or_new(
                connection, WITNESS_SECRET, partial(token_bytes, SECRET_BYTES)
            )
            homes = _Homes(fingerprint, enrolled, Witness(enrolled, secret), ids, pseudonyms)
            self._homes[collective] = homes
        return homes


async def _stored(
    connection: AsyncConnection, collective: str, request: str
) -> Row[tuple[str, str, str]] | None:
    query = select(
        WitnessOpeningRow.verification_sha256,
        WitnessOpeningRow.request_sha256,
        WitnessOpeningRow.answer,
    ).where(WitnessOpeningRow.collective == collective, WitnessOpeningRow.request == request)
    return (await connection.execute(query)).one_or_none()


async def _is_gone_by(connection: AsyncConnection, subject: Subject) -> bool:
    """Return whether an hour began before this witness noticed that it was set back.

    Raises a `QuoaliseError` while it does not know when that was.
    """
    back = await heads.set_back(connection)
    if back is None:
        return False
    if back.opens_from is None:
        raise ResourceConstraint(_IS_SET_BACK.by_language)
    return subject.hour < back.opens_from


async def _checked(
    connection: AsyncConnection,
    subject: Subject,
    groups: Sequence[Group],
    key: bytes,
    homes: _Homes,
    *,
    now: datetime,
) -> Verdict:
    """Check homes, and store what reports were verified with."""
    before = select(WitnessLedgerRow.enrolments).where(
        WitnessLedgerRow.collective == subject.collective,
        WitnessLedgerRow.direction == subject.direction,
        WitnessLedgerRow.hour == subject.hour,
    )
    opened_before = {
        homes.pseudonyms[id_]
        for (bits,) in await connection.execute(before)
        for id_ in register.numbers(bits)
        if id_ in homes.pseudonyms
    }
    stored = await register.verified(connection, subject)
    verified = {
        homes.pseudonyms[id_]: value for id_, value in stored.items() if id_ in homes.pseudonyms
    }
    try:
        verdict = await asyncio.to_thread(
            homes.witness.verify,
            subject,
            groups,
            now.astimezone(UTC).date(),
            opened_before,
            key=key,
            verified=verified,
        )
    except NotElements, RootOfUnity:
        raise BadRequest(_NOT_VERIFIABLE.by_language) from None
    if verdict.fingerprints:
        new = {homes.ids[home]: value for home, value in verdict.fingerprints.items()}
        invalid = {homes.ids[home] for each in verdict.refused for home in each.pseudonyms}
        # Of those that were verified before, this is another try of the collective.
        await register.note_verified(connection, subject, new, invalid & new.keys(), now)
    return verdict


def _with[Sent: (VerificationRequest, Opening)](
    parts: _Parts[Sent] | None, sent: Sent
) -> _Parts[Sent]:
    """Return parts with one more; the same part again takes its own place."""
    if sent.part == 1 and (parts is None or parts.received[0] != sent):
        return _Parts([sent])
    if parts is None or not _goes_on(parts.received, sent):
        raise ResourceConstraint(_FROM_THE_FIRST.by_language)
    if sent.part > len(parts.received):
        parts.received.append(sent)
    elif parts.received[sent.part - 1] != sent:
        raise BadRequest(_ALTERED.by_language)
    return parts


def _goes_on(
    received: Sequence[VerificationRequest] | Sequence[Opening],
    sent: VerificationRequest | Opening,
) -> bool:
    """Return whether a part is of the same request, and no part before it is missing."""
    return _head(received[0]) == _head(sent) and sent.part <= len(received) + 1


def _head(sent: VerificationRequest | Opening) -> VerificationRequest | Opening:
    """Return what all parts of a request have in common."""
    if isinstance(sent, Opening):
        return replace(sent, part=1, sums=())
    return replace(sent, part=1, groups=())


def _together(parts: Sequence[VerificationRequest]) -> list[Group]:
    """Return the groups of all parts: one that is split is joined."""
    groups = defaultdict[str, list[Part]](list)
    for part in parts:
        for group in part.groups:
            groups[group.name] += group.parts
    return [Group(name, tuple(some)) for name, some in groups.items()]


def _hash(request: VerificationRequest, groups: Sequence[Group]) -> str:
    """Return the hash of all that is verified."""
    hashed = sha256(f"{request.direction} {request.hour.isoformat()}".encode())
    hashed.update(request.verification_key)
    for group in groups:
        pseudonyms, days, nonces, verifiers = zip(*group.parts, strict=True)
        hashed.update(f"\n{group.name} {len(group.parts)} ".encode())
        # Each field has a fixed length.
        hashed.update("".join(pseudonyms).encode())
        hashed.update(array("I", map(date.toordinal, days)))
        hashed.update(b"".join(nonces))
        hashed.update(b"".join(verifiers))
    return hashed.hexdigest()


def _hash_of_sums(passed: _Passed, sums: Sequence[MaskedSum]) -> str:
    """Return the hash of all that is asked: the verification, and the sums."""
    words = [f"{each.group} {each.masked} {each.masked_squares}" for each in sums]
    return sha256("\n".join([passed.hashed, *words]).encode()).hexdigest()
