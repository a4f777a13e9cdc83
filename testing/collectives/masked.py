"""Homes that send masked reports, and their witness, in a town of `publishing`."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from random import Random
from typing import cast
from uuid import UUID

from consometers_node.collective.ingestion.masked_reports import take_reports
from consometers_node.collective.publication.closing.closer import WaitRule
from consometers_node.collective.publication.closing.openings import (
    refused_homes,
    sums_to_open,
    too_few,
    verifications,
    without,
    written_answer,
)
from consometers_node.collective.publication.closing.witness_requests import WitnessRequests
from consometers_node.permission import DataNeed, Reading
from consometers_node.series import Device, Direction, Quantity, Series
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.collective.masked_reports import (
    StoredOpening,
    ask_less,
    openings,
    reports_of_hour,
    store_answer,
)
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.series import add_series
from consometers_node.store.settings import VERIFICATION_SECRET, set_secret
from consometers_node.wire import write_need
from consometers_protected_sums.exchange import Answer, RefusedHomes
from consometers_protected_sums.keyed_draw import SECRET_BYTES
from consometers_protected_sums.keys import KEY_BYTES, DayKey
from consometers_protected_sums.opening import Enrolment, Moments, Witness
from consometers_protected_sums.reports import NONCE_SECRET_BYTES, Report, Subject
from consometers_quoalise import QuoaliseError, ResourceConstraint
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation.permissions_xml import write_data_needs
from consometers_quoalise.federation.protected_sums import (
    MaskedReport,
    Opened,
    Opening,
    Reports,
    VerificationRequest,
    Verified,
)
from consometers_quoalise_network import Asking
from consometers_quoalise_network.backoff import Backoff
from testing.collectives.publishing import (
    CONSUMPTION,
    EARLIER,
    HOUR,
    MONTH,
    NOON,
    ZONE,
    PublishingTown,
)
from testing.homes.data_needs import PROTECTED, WITNESS
from testing.run import DEADLINE_S

COLLECTIVE = "coop@example.org"
NEED_OF_SUMS = replace(PROTECTED, id="protected", witness=replace(WITNESS, minimum=3))


@dataclass
class MaskedHome:
    """A home that sends masked reports: its pseudonym is its permission."""

    member: MemberId
    permission: str
    key: DayKey
    nonce_secret: bytes

    @property
    def jid(self) -> str:
        return f"m{self.member}@example.org"


@dataclass
class MaskedTown(PublishingTown):
    """A town some of whose homes are read in protected sums alone."""

    random: Random = field(default_factory=lambda: Random(1))
    homes: dict[str, MaskedHome] = field(default_factory=dict)
    opened_before: set[str] = field(default_factory=set)

    async def masked_home(
        self,
        area: str | None = None,
        records_from: datetime = EARLIER,
        *,
        need: DataNeed = NEED_OF_SUMS,
        way: Direction = Direction.CONSUMPTION,
    ) -> MaskedHome:
        """Add a home that grants the need of sums, which all homes share, for a direction."""
        number = MemberId(1_000 + len(self.homes))
        if not self.homes:
            asked = serialise(write_data_needs([write_need(need)])).decode()
            await self._add("own_need", need=need.id, version=1, body=asked, offered_at=NOON)
            name = VERIFICATION_SECRET.format(witness=WITNESS.jid)
            await set_secret(self.connection, name, self.random.randbytes(32))
        permission = str(UUID(bytes=self.random.randbytes(16), version=4))
        key, secret = (self.random.randbytes(size) for size in (KEY_BYTES, NONCE_SECRET_BYTES))
        home = MaskedHome(number, permission, DayKey(MONTH, key), secret)
        await self._join(number, area, jid=home.jid)
        await self._permit(
            permission,
            number,
            Device(f"urn:dev:org:60060-m{number}"),
            way=way,
            need=need.id,
            interval_minutes=HOUR,
            identification="pseudonym",
            reading=Reading.SUM.value,
            records_from=records_from,
        )
        self.homes[permission] = home
        return home

    async def masked_homes(self, count: int, area: str | None = None) -> list[MaskedHome]:
        return [await self.masked_home(area) for _ in range(count)]

    async def grant_records(self, home: MaskedHome) -> None:
        """Grant another need too, for the records of the same direction."""
        self.series[home.member] = series = Series(
            Device(f"urn:dev:org:60060-again{home.member}"), CONSUMPTION, Quantity.POWER, HOUR, ZONE
        )
        self.numbers[series] = await add_series(self.connection, series, home.member)
        await self._allow(home.member, "pseudonym")

    def reports(
        self, home: MaskedHome, values: Sequence[int], start: datetime, day: date | None = None
    ) -> Reports:
        """Mask the values of a home from an hour on, with the key of a day."""
        key = home.key.on(day or self.at.date())
        masked = []
        for place, value in enumerate(values):
            hour = start.replace(hour=start.hour + place)
            subject = Subject(COLLECTIVE, CONSUMPTION, hour)
            report = Report.of(value, subject, key, home.nonce_secret)
            masked.append(MaskedReport(hour, report.nonce, report.masked))
        return Reports(
            permission=home.permission,
            direction=Direction.CONSUMPTION,
            day=key.day,
            reports=tuple(masked),
        )

    async def report(
        self, homes: Sequence[MaskedHome], values: Sequence[int], start: datetime
    ) -> None:
        """Store the hours of homes, the same of each."""
        for home in homes:
            assert await self.push(home.jid, self.reports(home, values, start)) is None

    async def push(self, sender: str, reports: Reports) -> QuoaliseError | None:
        """Take a message; return why it is refused."""
        refused = await take_reports(
            self.connection, {0: (sender, reports)}, self.at, self.arrivals
        )
        return refused.get(0)

    async def close(self, at: datetime) -> bool:
        """Close what is due then, and have openings stored; return whether there is any news."""
        self.at = at
        waiting = WaitRule(
            online_since=self.online_since, opened_at=self.opened_at, arrivals=self.arrivals
        )
        return await self.closer(waiting, asks_witnesses=True).close()

    def witness(self, without: Collection[MaskedHome] = ()) -> Witness:
        """Return the witness, to whom all homes gave their keys, without those that left."""
        directions = frozenset({Direction.CONSUMPTION})
        enrolments = {
            name: Enrolment(home.key, directions, 3)
            for name, home in self.homes.items()
            if home not in without
        }
        return Witness(enrolments, bytes(SECRET_BYTES))

    async def answer_openings(
        self, witness: Witness | None = None, *, asks: Callable[[StoredOpening], bool] = bool
    ) -> list[list[Answer] | list[RefusedHomes]]:
        """Have the witness answer what it is asked, as `WitnessRequests` does.

        With `asks`, those alone of which it is true.
        """
        witness = witness or self.witness()
        answered: list[list[Answer] | list[RefusedHomes]] = []
        while pending := [*filter(asks, await openings(self.connection, unanswered=True))]:
            for asked in pending:
                groups = [each for part in verifications(asked) for each in part.groups]
                subject = Subject(COLLECTIVE, asked.direction, asked.start)
                refused, masks, _ = witness.verify(
                    subject,
                    groups,
                    self.at.date(),
                    self.opened_before,
                    key=asked.verification_key,
                )
                if not refused:
                    sums = [each for part in sums_to_open(asked) for each in part.sums]
                    answers = witness.open(subject, masks, sums)
                    answered.append(answers)
                    await store_answer(self.connection, asked, written_answer(asked, answers))
                    continue
                answered.append(refused)
                reports = await reports_of_hour(self.connection, asked.direction, asked.start)
                left = without(asked, refused_homes(asked, refused), reports)
                if left is None:
                    await store_answer(self.connection, asked, too_few(refused))
                else:
                    await ask_less(self.connection, left)
        return answered

    async def close_all(self, at: datetime, witness: Witness | None = None) -> None:
        """Close all that is due then, with a witness that answers."""
        await self.answer_openings(witness)
        while await self.close(at):
            await self.answer_openings(witness)


class AskedWitness:
    """An honest witness behind a collective's network, with all that it was asked, in order.

    It holds what it verified last. What is asked fits into one part.
    """

    def __init__(self, witness: Witness, today: date) -> None:
        self.asked: list[VerificationRequest | Opening] = []
        self._witness = witness
        self._today = today
        self._passed: tuple[str, Subject, Mapping[str, Moments]] | None = None

    async def verify_reports(self, _: str, request: VerificationRequest) -> Verified:
        self.asked.append(request)
        subject = Subject(COLLECTIVE, CONSUMPTION, request.hour)
        verdict = self._witness.verify(
            subject, request.groups, self._today, key=request.verification_key
        )
        self._passed = None if verdict.refused else (request.id, subject, verdict.masks)
        return Verified(id=request.id, part=1, parts=1, refused=tuple(verdict.refused))

    async def open_sums(self, _: str, opening: Opening) -> Opened:
        self.asked.append(opening)
        if self._passed is None or self._passed[0] != opening.id:
            raise ResourceConstraint
        _, subject, masks = self._passed
        answers = self._witness.open(subject, masks, opening.sums)
        return Opened(id=opening.id, part=1, parts=1, answers=tuple(answers))


async def answered(store: Store, witness: AskedWitness, changes: Changes | None = None) -> None:
    """Have a collective ask its witness until all that waits is answered."""
    network = cast("Asking", witness)
    requests = WitnessRequests(store, network, changes or Changes(), Backoff(0.01, 0.01))
    running = asyncio.create_task(requests.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                assert not running.done(), running
                async with store.reading() as connection:
                    if not await openings(connection, unanswered=True):
                        return
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.wait({running})
