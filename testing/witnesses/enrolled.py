"""Homes of a witness: they enrol, report and ask."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from secrets import token_bytes
from typing import Final
from uuid import uuid4

from consometers_node.collective.witness import codes
from consometers_node.collective.witness.service import WitnessService
from consometers_node.series import Direction
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.wire.witness_requests import Call, EnrolmentRequest, SignedRequest
from consometers_protected_sums.codes import draw
from consometers_protected_sums.exchange import Answer, Part, RefusedHomes
from consometers_protected_sums.heads import NO_ANSWER, Head
from consometers_protected_sums.keys import DayKey
from consometers_protected_sums.reports import Report, Subject
from consometers_quoalise.federation.protected_sums import Opening, VerificationRequest
from packages.protected_sums.tests.homes import VERIFICATION_KEY, Asked, added, part_of
from testing.clocks import Hands, confirmed

COLLECTIVE = "coop@energies.example"
FIRST_HEAD: Final = Head.of(bytes(32), 0, NO_ANSWER)
"""Of a witness that has answered nothing."""
HOURS = timedelta(hours=1)
VALUES = [300, 420, 380, 510, 290, 333, 450, 400, 370, 440]


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass
class EnrolledHome:
    """A home that enrols by a code, reports and asks."""

    since: date = field(default_factory=lambda: datetime.now(UTC).date())
    pseudonym: str = field(default_factory=lambda: str(uuid4()))
    secret: bytes = field(default_factory=lambda: token_bytes(32))
    code: str = field(default_factory=draw)
    """Made up, unless the witness gave it: `vouched`."""
    heads: tuple[bytes, ...] = ()
    """Those that it has of the witness."""

    @property
    def key(self) -> DayKey:
        return DayKey(self.since, self.secret)

    def enrolment(self, minimum: int = 10) -> EnrolmentRequest:
        return EnrolmentRequest(
            collective=COLLECTIVE,
            pseudonym=self.pseudonym,
            need="sums",
            version=1,
            need_sha256="ab" * 32,
            minimum=minimum,
            directions=frozenset({Direction.CONSUMPTION}),
            day=self.since,
            key=self.secret,
            code=self.code,
            heads=self.heads,
        )

    def signed(
        self, call: Call, at: datetime | None = None, collective: str = COLLECTIVE
    ) -> SignedRequest:
        return SignedRequest.of(
            call,
            collective,
            self.pseudonym,
            at or datetime.now(UTC).replace(microsecond=0),
            self.key.authentication_key(),
            heads=self.heads,
        )

    def report(self, wh: int, hour: datetime) -> tuple[Part, Report]:
        subject = Subject(COLLECTIVE, Direction.CONSUMPTION, hour)
        today = datetime.now(UTC).date()
        report = Report.of(wh, subject, self.key.on(today), token_bytes(32))
        return part_of(self.pseudonym, report, subject), report


def masked_sum(
    homes: Sequence[EnrolledHome], values: Sequence[int], hour: datetime, group: str = "1"
) -> Asked:
    return added(group, (home.report(wh, hour) for home, wh in zip(homes, values, strict=True)))


@dataclass(frozen=True)
class Request:
    """What a collective asks of an hour: to verify the homes of groups, then to open their sums."""

    groups: tuple[Asked, ...]
    hour: datetime
    id: str = field(default_factory=lambda: str(uuid4()))
    verification_key: bytes = VERIFICATION_KEY

    def verification(self) -> VerificationRequest:
        return VerificationRequest(
            id=self.id,
            verification_key=self.verification_key,
            direction=Direction.CONSUMPTION,
            hour=self.hour,
            part=1,
            parts=1,
            groups=tuple(group.reports for group in self.groups),
        )

    def opening(self) -> Opening:
        sums = tuple(group.sums for group in self.groups)
        return Opening(id=self.id, part=1, parts=1, sums=sums)


def opening_of(
    homes: Sequence[EnrolledHome], hour: datetime, values: Sequence[int] = VALUES
) -> Request:
    """Return the opening of homes as one group."""
    return Request((masked_sum(homes, values, hour),), hour)


async def answers_of(
    witness: WitnessService, request: Request, collective: str = COLLECTIVE
) -> tuple[Answer, ...] | tuple[RefusedHomes, ...]:
    """Have homes verified, then the sums of those that passed opened, as a collective does."""
    verified = await witness.verify_reports(collective, request.verification())
    if verified.refused:
        return verified.refused
    return (await witness.open_sums(collective, request.opening())).answers


class WitnessWithCodes(WitnessService):
    """A witness whose codes a test makes."""

    def __init__(self, store: Store, clock: Clock, collectives: Collection[str]) -> None:
        super().__init__(store, clock, collectives)
        self.store = store


async def new_witness(store: Store, hands: Hands | None = None) -> WitnessWithCodes:
    clock = await confirmed(store, hands or Hands(datetime.now(UTC)))
    witness = WitnessWithCodes(store, clock, [COLLECTIVE])
    await witness.begin()
    return witness


async def codes_for(
    store: Store, count: int = 1, collective: str = COLLECTIVE, *, days: int = 90
) -> list[tuple[codes.Code, str]]:
    """Make codes as the administration of a witness does."""
    now = datetime.now(UTC)
    until = now + timedelta(days=days)
    async with store.writing() as connection:
        return [
            await codes.make(connection, collective=collective, at=now, expires_at=until)
            for _ in range(count)
        ]


async def vouch(connection: AsyncConnection, *homes: EnrolledHome) -> None:
    """Store a code of its own for each home."""
    now = datetime.now(UTC)
    until = now + timedelta(days=90)
    for home in homes:
        _, home.code = await codes.make(connection, collective=COLLECTIVE, at=now, expires_at=until)


async def vouched(store: Store, *homes: EnrolledHome) -> None:
    """Store a code of its own for each home, in one transaction."""
    async with store.writing() as connection:
        await vouch(connection, *homes)


async def enrolled(
    witness: WitnessWithCodes, count: int = 10, since: date | None = None
) -> list[EnrolledHome]:
    homes = [EnrolledHome(since) if since else EnrolledHome() for _ in range(count)]
    await vouched(witness.store, *homes)
    for home in homes:
        await witness.enrol(home.enrolment())
    return homes
