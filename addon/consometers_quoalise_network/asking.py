"""Requests to peers: one in flight for each, within the peer's rate limit.

A peer is asked by its full address; that of a node is its bare address and /quoalise. Every method
raises what the peer answered (`QuoaliseError`) or what the network did (`NetworkError`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
import logging
from typing import override
from weakref import WeakValueDictionary
from xml.etree.ElementTree import Element

from consometers_quoalise import (
    BadRequest,
    Data,
    DataNeed,
    Event,
    ExportPart,
    Identifier,
    Letter,
    Listed,
    Malformed,
    Notice,
    Opened,
    Opening,
    Permission,
    Receipt,
    ResourceConstraint,
    VerificationRequest,
    Verified,
    answers,
    iso8601,
    requests,
)
from consometers_quoalise.federation import permissions_xml, protected_sums
from consometers_quoalise.records import data

from .address import account_of, full
from .rate_limit import SlidingWindow
from .transport import Requests

REQUEST_SECONDS = 60
SHORTEST_PAGE = timedelta(hours=1)
PAUSES_SECONDS = (5, 20, 60)
"""A peer limits requests per minute."""

_LOGGER = logging.getLogger(__name__)


class Asking:
    """Sends requests to peers."""

    def __init__(self, transport: Requests) -> None:
        self.outside = 0
        """Records outside of the requested range, since the start."""
        self._transport = transport
        self._rate = SlidingWindow(asyncio.get_running_loop().time)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pages: dict[tuple[str, Identifier], timedelta] = {}
        """How long a page of a series may be, once a longer one was refused."""

    async def get_history(
        self,
        peer: str,
        identifier: Identifier,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Data:
        """Return the records of start ≤ time < end, by default of the last 24 hours, in one answer.

        Records outside of what was asked are dropped, and counted in `outside`: some peers answer
        whole days. Raises `BadRequest` if they are too many: see `history`.
        """
        answer = await self._ask(peer, requests.GetHistory(identifier, start, end))
        data_sent = data.read(answers.payload(answer, data.QUOALISE))
        asked = data_sent.within(start or iso8601.FIRST, end or iso8601.LAST)
        if outside := len(data_sent) - len(asked):
            self.outside += outside
            _LOGGER.info(Notice(Event.RECORDS_OUTSIDE, count=outside))
        return asked

    async def history(
        self,
        peer: str,
        identifier: Identifier,
        start: datetime,
        end: datetime,
        reached: Callable[[datetime], None] = lambda _until: None,
    ) -> AsyncIterator[Data]:
        """Yield the records of start ≤ time < end in order, in as many answers as needed.

        A range that is refused as a bad request is asked again by halves, down to an hour; so long
        are the pages of this series then, the next time as well. `reached` is called with the end
        of each answer that came.
        """
        series = account_of(full(peer)), identifier
        step = whole = min(end - start, self._pages.get(series, end - start))
        while start < end:
            until = min(end, start + step)
            try:
                page = await self.get_history(peer, identifier, start, until)
            except BadRequest as refusal:
                step = (until - start) / 2
                if step < SHORTEST_PAGE or isinstance(refusal, Malformed):
                    raise
            else:
                if step < whole:
                    self._pages[series] = whole = step
                reached(until)
                yield page
                start = until

    async def subscribe(self, peer: str, identifier: Identifier) -> None:
        """Subscribe to new records."""
        await self._ask(peer, requests.Subscribe(identifier))

    async def unsubscribe(self, peer: str, identifier: Identifier) -> None:
        await self._ask(peer, requests.Unsubscribe(identifier))

    async def list_series(self, peer: str) -> tuple[Listed, ...]:
        """Ask which series this account may read."""
        return answers.read_listed(await self._ask(peer, requests.ListSeries()))

    async def get_data_needs(
        self, collective: str, invitation: str | None = None
    ) -> tuple[DataNeed, ...]:
        """Ask a collective for its data needs, with the token of its invitation if there is one."""
        answer = await self._ask(collective, requests.GetDataNeeds(invitation))
        return permissions_xml.read_data_needs(answers.payload(answer, permissions_xml.DATA_NEEDS))

    async def grant(self, collective: str, permission: Permission) -> Receipt:
        """Send a collective a household's grant."""
        return await self._receipt(collective, requests.Grant(permission))

    async def withdraw(self, collective: str, permission: str, *, erase: bool = True) -> Receipt:
        """Send a household's withdrawal. Return the receipt with the erased records."""
        return await self._receipt(collective, requests.Withdraw(permission, erase))

    async def terminate(self, household: str, permission: str) -> Receipt:
        """Notify a household that the collective ends its permission."""
        return await self._receipt(household, requests.Terminate(permission))

    async def get_export(self, collective: str, part: int = 1) -> ExportPart:
        """Ask a collective for a part of all its data about us."""
        answer = await self._ask(collective, requests.GetExport(part))
        return permissions_xml.read_export(answers.payload(answer, permissions_xml.EXPORT))

    async def verify_reports(self, witness: str, request: VerificationRequest) -> Verified:
        """Ask a witness to verify masked reports: one part of the request."""
        answer = await self._ask(witness, requests.VerifyReports(request))
        return protected_sums.read_verified(answers.payload(answer, protected_sums.VERIFIED))

    async def open_sums(self, witness: str, opening: Opening) -> Opened:
        """Ask a witness to open sums of masked reports that it verified: one part of them."""
        answer = await self._ask(witness, requests.OpenSums(opening))
        opened = answers.payload(answer, protected_sums.OPENED)
        return protected_sums.read_opened(opened)

    async def send_letter(self, household: str, letter: Letter) -> None:
        """Send a household a letter, and return once it has stored it."""
        await self._ask(household, requests.SendLetter(letter))

    async def _receipt(self, peer: str, request: requests.Request) -> Receipt:
        answer = await self._ask(peer, request)
        return permissions_xml.read_receipt(answers.payload(answer, permissions_xml.RECEIPT))

    async def _ask(self, peer: str, request: requests.Request) -> Element:
        """Return the completed `<command>` with the answer, once it is our turn."""
        to = full(peer)
        account = account_of(to)
        turn = self._turns.setdefault(account, asyncio.Lock())
        async with turn:
            await asyncio.sleep(self._rate.wait_seconds(account))
            try:
                answer = await self._transport.ask(to, requests.write(request), REQUEST_SECONDS)
            finally:
                # The peer has counted it by now: its minute is over when ours is.
                self._rate.take(account)
        answers.read_completed(answer)
        return answer


class PatientAsking(Asking):
    """Asks again, after pauses, a peer that limits requests; `waits` is called before each."""

    def __init__(self, transport: Requests, waits: Callable[[str, int], None]) -> None:
        super().__init__(transport)
        self._waits = waits

    @override
    async def _ask(self, peer: str, request: requests.Request) -> Element:
        for seconds in PAUSES_SECONDS:
            try:
                return await super()._ask(peer, request)
            except ResourceConstraint:
                self._waits(peer, seconds)
                await asyncio.sleep(seconds)
        return await super()._ask(peer, request)
