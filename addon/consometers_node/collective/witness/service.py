"""A witness at work: it enrols homes, opens sums of enough of them once, and forgets old keys.

An answer is written down, with the homes that it concerns, before it leaves. A witness that was set
back to an earlier state (`heads`) opens no hour that began before it knew.
"""

from array import array
import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from secrets import token_bytes
import time
from typing import NoReturn
from xml.etree.ElementTree import fromstring, tostring

from sqlalchemy import insert, select

from ...keyed_draw import SECRET_BYTES
from ...protected_sums.field import MODULUS, NotElements
from ...protected_sums.flp import RootOfUnity
from ...protected_sums.opening import Witness, fingerprint
from ...protected_sums.reports import Subject
from ...protected_sums.requests import (
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
)
from ...quoalise import BadRequest, NotAuthorized, ResourceConstraint
from ...quoalise.protected_sums import (
    Answer,
    MaskedSum,
    Opened,
    OpenedSum,
    Opening,
    Refusal,
    RefusedSum,
    read_opened,
    write_opened,
)
from ...quoalise.text import text
from ...series import Direction
from ...store import Store
from ...store.clock import Clock
from ...store.collective_tables import WitnessLedgerRow, WitnessOpeningRow
from ...store.connection import AsyncConnection
from ...store.exclusive import lock
from ...store.settings import WITNESS_SECRET, secret_or_new
from ..errors import CollectiveFault
from . import heads, register
from .keys import age

MOST_HOMES = 250_000
"""In all parts of an opening."""
PARTS_WITHIN_S = 600.0
"""How long the parts of an opening are held until the last one comes."""

_FROM_THE_FIRST = text("Earlier parts of this opening are missing: send it again from part 1.")
_ALTERED = text("This opening differs from an earlier one with the same id: use another id.")
_TOO_MANY = text("An opening has at most {most} homes.")
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


@dataclass(slots=True)
class _Parts:
    """The parts of an opening that have come."""

    received: list[Opening]
    at: float = field(default_factory=time.monotonic)

    @property
    def first(self) -> Opening:
        return self.received[0]

    @property
    def homes(self) -> int:
        return sum(len(asked.parts) for part in self.received for asked in part.sums)


@dataclass(frozen=True, slots=True)
class _Homes:
    """The homes of a collective, as they were at a fingerprint of the register."""

    fingerprint: register.Fingerprint
    witness: Witness
    ids: dict[str, int]
    pseudonyms: dict[int, str]


class WitnessService:
    """The witness of some collectives, by their bare addresses."""

    def __init__(self, store: Store, clock: Clock, collectives: Collection[str]) -> None:
        """Prepare; `begin` comes before anything is opened."""
        self.collectives = tuple(collectives)
        self._store = store
        self._clock = clock
        self._parts: dict[str, _Parts] = {}
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
                await connection.keys.rewrite()
            await register.forget(connection, now)
            for collective, homes in list(self._homes.items()):
                if homes.fingerprint != await register.fingerprint(connection, collective):
                    del self._homes[collective]

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

    async def open_sums(self, collective: str, opening: Opening) -> Opened:
        """Take a part of an opening; answer the last one. Raises a `QuoaliseError` to refuse."""
        if collective not in self.collectives:
            raise NotAuthorized
        parts = self._received(collective, opening)
        if opening.part < opening.parts:
            return Opened(id=opening.id, part=opening.part, parts=opening.parts)
        sums = _together(parts.received)
        async with self._one:
            answers = await self._answer(collective, opening, sums)
        return Opened(id=opening.id, part=opening.part, parts=opening.parts, answers=answers)

    def _check(self, collective: str) -> None:
        if collective not in self.collectives:
            raise NotWitnessed

    async def _look_at(self, shown: Collection[bytes]) -> None:
        """Check the heads that a home shows, even in a request that is refused."""
        if shown:
            async with self._store.writing() as connection:
                await lock(connection, "witness")
                await heads.shown(connection, shown)

    def _received(self, collective: str, opening: Opening) -> _Parts:
        """Add a part to those before it; the same part again takes its own place."""
        self._drop_old_parts()
        parts = self._parts.get(collective)
        if opening.part == 1 and (parts is None or parts.first != opening):
            parts = self._parts[collective] = _Parts([opening])
        elif parts is None or not _goes_on(parts.received, opening):
            raise ResourceConstraint(_FROM_THE_FIRST)
        elif opening.part > len(parts.received):
            parts.received.append(opening)
        elif parts.received[opening.part - 1] != opening:
            raise BadRequest(_ALTERED)
        if parts.homes > MOST_HOMES:
            del self._parts[collective]
            raise BadRequest(_TOO_MANY.fill(most=MOST_HOMES))
        return parts

    def _drop_old_parts(self) -> None:
        latest = time.monotonic() - PARTS_WITHIN_S
        self._parts = {
            collective: parts for collective, parts in self._parts.items() if parts.at > latest
        }

    async def _answer(
        self, collective: str, opening: Opening, sums: Sequence[MaskedSum]
    ) -> tuple[Answer, ...]:
        """Return what was answered to the same request before, or open it now."""
        hashed = _hash(opening, sums)
        async with self._store.writing() as connection:
            now = await self._clock.unless_wrong(connection)
            if now is None:
                raise ResourceConstraint(_CLOCK)
            await lock(connection, "witness")
            query = select(WitnessOpeningRow.request_sha256, WitnessOpeningRow.answer).where(
                WitnessOpeningRow.collective == collective, WitnessOpeningRow.request == opening.id
            )
            stored = (await connection.execute(query)).one_or_none()
            if stored is not None and stored.request_sha256 != hashed:
                raise BadRequest(_ALTERED)
            if stored is not None:
                answers = read_opened(fromstring(stored.answer)).answers  # noqa: S314 - our own
            else:
                answers = await self._open(connection, collective, opening, sums, hashed, now=now)
            head = await heads.current(connection)
        await heads.remember(self._store.keys, head)
        return answers

    async def _open(
        self,
        connection: AsyncConnection,
        collective: str,
        opening: Opening,
        sums: Sequence[MaskedSum],
        hashed: str,
        *,
        now: datetime,
    ) -> tuple[Answer, ...]:
        groups = frozenset(asked.group for asked in sums)
        back = await heads.set_back(connection)
        opens_from = None if back is None else back.opens_from
        if back is not None and opens_from is None:
            raise ResourceConstraint(_IS_SET_BACK)
        if opens_from is not None and opening.hour < opens_from:
            await register.note_refusals(connection, collective, {Refusal.OPENED_BEFORE})
            return (RefusedSum(groups, Refusal.OPENED_BEFORE),)
        homes = await self._homes_of(connection, collective)
        subject = Subject(collective, Direction(opening.direction), opening.hour)
        before = select(WitnessLedgerRow.enrolments).where(
            WitnessLedgerRow.collective == collective,
            WitnessLedgerRow.direction == subject.direction,
            WitnessLedgerRow.hour == subject.hour,
        )
        opened_before = {
            homes.pseudonyms[id_]
            for (bits,) in await connection.execute(before)
            for id_ in register.numbers(bits)
            if id_ in homes.pseudonyms
        }
        verified = await register.verified(connection, subject, homes.pseudonyms)
        try:
            answers = tuple(
                await asyncio.to_thread(
                    homes.witness.open,
                    subject,
                    sums,
                    now.astimezone(UTC).date(),
                    opened_before,
                    key=opening.verification_key,
                    verified=verified,
                )
            )
        except NotElements, RootOfUnity:
            raise BadRequest(_NOT_VERIFIABLE) from None
        in_the_way = {
            answer.reason
            for answer in answers
            if isinstance(answer, RefusedSum) and answer.pseudonyms
        }
        if in_the_way:
            # Nothing was opened, nor is any home marked.
            await register.note_refusals(connection, collective, in_the_way)
            if Refusal.INVALID in in_the_way:
                new = {
                    part.pseudonym: fingerprint(part, opening.verification_key)
                    for asked in sums
                    for part in asked.parts
                }
                (refused,) = answers
                assert isinstance(refused, RefusedSum)
                await register.note_verified(
                    connection,
                    subject,
                    {homes.ids[home]: value for home, value in (new | verified).items()},
                    # Of those that were verified before, this is another try of the collective.
                    {homes.ids[home] for home in refused.pseudonyms - verified.keys()},
                    now,
                )
                await heads.append(connection, bytes.fromhex(hashed))
            return answers
        opened = Opened(id=opening.id, part=opening.parts, parts=opening.parts, answers=answers)
        row = {
            "collective": collective,
            "request": opening.id,
            "request_sha256": hashed,
            "answer": tostring(write_opened(opened), encoding="unicode"),
            "at": now,
        }
        stored = insert(WitnessOpeningRow).values(row).returning(WitnessOpeningRow.id)
        opening_id = (await connection.execute(stored)).scalar_one()
        await heads.append(connection, bytes.fromhex(hashed))
        by_group = {asked.group: asked.parts for asked in sums}
        await connection.execute(
            insert(WitnessLedgerRow),
            [
                {
                    "opening_id": opening_id,
                    "number": number,
                    "collective": collective,
                    "direction": subject.direction,
                    "hour": subject.hour,
                    "homes": sum(len(by_group[group]) for group in answer.groups),
                    "reason": None if isinstance(answer, OpenedSum) else answer.reason,
                    "enrolments": register.bitmap(
                        [
                            homes.ids[part.pseudonym]
                            for group in answer.groups
                            for part in by_group[group]
                        ]
                    ),
                }
                for number, answer in enumerate(answers, 1)
            ],
        )
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
            homes = _Homes(fingerprint, Witness(enrolled, secret), ids, pseudonyms)
            self._homes[collective] = homes
        return homes


def _goes_on(received: Sequence[Opening], opening: Opening) -> bool:
    """Return whether a part is of the same opening, and no part before it is missing."""
    head = replace(received[0], part=opening.part, sums=opening.sums)
    return head == opening and opening.part <= len(received) + 1


def _together(parts: Sequence[Opening]) -> list[MaskedSum]:
    """Return the sums of all parts: a group that is split is added up."""
    sums: dict[str, MaskedSum] = {}
    for part in parts:
        for asked in part.sums:
            before = sums.get(asked.group)
            sums[asked.group] = asked if before is None else _add(before, asked)
    return list(sums.values())


def _add(first: MaskedSum, second: MaskedSum) -> MaskedSum:
    return MaskedSum(
        first.group,
        first.parts + second.parts,
        (first.masked + second.masked) % MODULUS,
        (first.masked_squares + second.masked_squares) % MODULUS,
    )


def _hash(opening: Opening, sums: Sequence[MaskedSum]) -> str:
    """Return the hash of all that is asked."""
    hashed = sha256(f"{opening.direction} {opening.hour.isoformat()}".encode())
    hashed.update(opening.verification_key)
    for asked in sums:
        head = f"\n{asked.group} {asked.masked} {asked.masked_squares} {len(asked.parts)} "
        hashed.update(head.encode())
        # Each field has a fixed length.
        hashed.update("".join([part.pseudonym for part in asked.parts]).encode())
        hashed.update(array("I", [part.day.toordinal() for part in asked.parts]))
        hashed.update(b"".join([part.nonce + part.verifier for part in asked.parts]))
    return hashed.hexdigest()
