"""Answers to the ad-hoc commands of peers (XEP-0050).

A command has one stage, so nothing is kept between a form to fill in and the form filled in. A
peer is its bare address, which its server has authenticated. It may have one request in flight
and ask 60 times a minute. Strangers share what one peer in eight has, and those of one domain ask
no more often together than two peers may: known peers wait for none of them.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import logging
import secrets
from typing import Protocol
from xml.etree.ElementTree import Element

from consometers_quoalise import (
    COMMANDS,
    BadRequest,
    Code,
    Data,
    DataNeed,
    ErrorType,
    Event,
    ExportPart,
    Identifier,
    ItemNotFound,
    Letter,
    Listed,
    Malformed,
    Node,
    Notice,
    Opened,
    Opening,
    OtherError,
    Permission,
    Problem,
    QuoaliseError,
    Receipt,
    ResourceConstraint,
    Role,
    VerificationRequest,
    Verified,
    Words,
    answers,
    requests,
)
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation import permissions_xml, protected_sums
from consometers_quoalise.federation.permissions_xml import write_receipt
from consometers_quoalise.records import data

from .address import account_of
from .rate_limit import SlidingWindow
from .traffic import Traffic
from .transport import Incoming, Transport

_LOGGER = logging.getLogger(__name__)

ANSWER_SECONDS = 45
MAX_IN_FLIGHT = 64
"""Requests of all peers together."""
MAX_OF_STRANGERS = 8
"""Of these, requests of strangers."""
OF_A_DOMAIN = 120
"""Requests of the strangers of one domain in a minute: forty households may join in it."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The asker. `jid` is the peer, bare; `full` gets the answer; `language` is its tongue."""

    jid: str
    full: str = field(compare=False)
    language: str = field(default="en", compare=False)


class Answerer(Protocol):
    """A role's answers to its peers. Every method raises a `QuoaliseError` to refuse.

    A role overrides the commands that `quoalise.COMMANDS` gives it, and leaves the others.
    """

    role: Role
    passing: tuple[type[Exception], ...] = ()
    """Temporary failures, which are reported elsewhere: the requester retries."""

    async def get_history(self, asker: Asker, request: requests.GetHistory) -> Data:
        """Return the records of a range, or refuse it where they are too many for an answer."""
        raise no_such_command()

    async def subscribe(self, asker: Asker, series: Identifier) -> None:
        """Subscribe the asker to new records."""
        raise no_such_command()

    async def unsubscribe(self, asker: Asker, series: Identifier) -> None:
        """End the subscription."""
        raise no_such_command()

    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        """Return the series that the asker may read."""
        raise no_such_command()

    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        """Return this collective's data needs, for the holder of an invitation's token."""
        raise no_such_command()

    async def grant(self, asker: Asker, permission: Permission) -> Receipt:
        """Store a household's permission."""
        raise no_such_command()

    async def withdraw(self, asker: Asker, permission: str, *, erase: bool) -> Receipt:
        """Store a household's withdrawal. Return the erased records."""
        raise no_such_command()

    async def terminate(self, asker: Asker, permission: str) -> Receipt:
        """Store that a collective ends a permission."""
        raise no_such_command()

    async def get_export(self, asker: Asker, part: int) -> ExportPart:
        raise no_such_command()

    async def verify_reports(self, asker: Asker, request: VerificationRequest) -> Verified:
        """Verify masked reports for the asker, as their witness."""
        raise no_such_command()

    async def open_sums(self, asker: Asker, opening: Opening) -> Opened:
        """Open sums of masked reports for the asker, as their witness."""
        raise no_such_command()

    async def receive_letter(self, asker: Asker, letter: Letter) -> None:
        """Store a collective's letter. The same one may come again."""
        raise no_such_command()


class Answering:
    """Passes commands to the answerer."""

    def __init__(
        self,
        transport: Transport,
        answerer: Answerer,
        traffic: Traffic | None = None,
        *,
        knows: Callable[[str], bool] = lambda _peer: True,
    ) -> None:
        """Answer over a transport. A peer (bare address) that it does not know is a stranger."""
        self._speak = transport.speak
        self._spawn = transport.spawn
        self._answerer = answerer
        self._knows = knows
        self._traffic = traffic or Traffic()
        clock = asyncio.get_running_loop().time
        self._rate = SlidingWindow(clock)
        self._of_strangers = SlidingWindow(clock, OF_A_DOMAIN)
        self._in_flight: dict[str, tuple[str, str]] = {}
        self._strangers: set[str] = set()
        transport.on_request(requests.COMMAND, self._asked)

    def _asked(self, request: Incoming) -> None:
        asker = Asker(account_of(request.sender), request.sender, request.language)
        request_key = asker.full, request.id
        if self._in_flight.get(asker.jid) == request_key:
            # A resumed stream, or a server on the way, brings it twice: its answer follows.
            return
        in_time = self._rate.take(asker.jid)
        busy = asker.jid in self._in_flight or len(self._in_flight) >= MAX_IN_FLIGHT
        if not self._knows(asker.jid):
            busy = busy or len(self._strangers) >= MAX_OF_STRANGERS
            # One that finds no room asks again: its domain is not charged for that.
            domain = asker.jid.rpartition("@")[2]
            in_time = in_time and (busy or self._of_strangers.take(domain))
            self._strangers |= {asker.jid} if in_time and not busy else set()
        if busy or not in_time:
            self._traffic.turned_down += 1
            request.refuse(ResourceConstraint())
            return
        self._in_flight[asker.jid] = request_key
        self._spawn(self._answer(request, asker))

    async def _answer(self, request: Incoming, asker: Asker) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._answer_to(request.payload, asker)
            _send(request, answer)
            self._traffic.answered += 1
        except QuoaliseError as error:
            self._traffic.turned_down += 1
            request.refuse(error)
        except Exception as error:
            self._traffic.failed += 1
            if isinstance(error, self._answerer.passing):
                _LOGGER.info(Notice(Event.ANSWER_POSTPONED))
            elif isinstance(error, TimeoutError):
                _LOGGER.warning(Notice(Event.ANSWER_LATE, seconds=ANSWER_SECONDS))
            else:
                _LOGGER.exception(Notice(Event.ANSWER_FAILED))
            fault = OtherError("internal-server-error", ErrorType.WAIT, code=Code.NODE_FAULT)
            request.refuse(fault)
        finally:
            del self._in_flight[asker.jid]
            self._strangers.discard(asker.jid)

    async def _answer_to(self, command: Element, asker: Asker) -> Element:
        request = requests.read(command)
        session = command.get("sessionid")
        words = self._speak(asker.language)
        match request:
            case requests.Cancelled(known):
                return answers.cancelled(known, session)
            case requests.ToFill(known):
                self._expect(known.node)
                return answers.to_fill(known, session or secrets.token_hex(8), words)
            case _:
                pass
        return await self._completed(request, asker, session, words)

    def _expect(self, node: Node) -> None:
        if self._answerer.role not in COMMANDS[node].answered_by:
            raise no_such_command()

    async def _completed(
        self, request: requests.Request, asker: Asker, session: str | None, words: Words
    ) -> Element:
        answerer, about, payload = self._answerer, "", None
        match request:
            case requests.GetHistory(series):
                about = str(series)
                payload = data.write(await answerer.get_history(asker, request))
            case requests.Subscribe(series):
                about = str(series)
                await answerer.subscribe(asker, series)
            case requests.Unsubscribe(series):
                about = str(series)
                await answerer.unsubscribe(asker, series)
            case requests.ListSeries():
                readable = await answerer.list_series(asker)
                return answers.listed(readable, session=session, words=words)
            case requests.GetDataNeeds(invitation):
                needs = await answerer.get_data_needs(asker, invitation)
                payload = permissions_xml.write_data_needs(needs)
            case requests.Grant(permission):
                about = permission.id
                payload = write_receipt(await answerer.grant(asker, permission))
            case requests.Withdraw(about, erase):
                payload = write_receipt(await answerer.withdraw(asker, about, erase=erase))
            case requests.Terminate(about):
                payload = write_receipt(await answerer.terminate(asker, about))
            case requests.GetExport(part):
                about = str(part)
                payload = permissions_xml.write_export(await answerer.get_export(asker, part))
            case requests.VerifyReports(verification):
                verified = await answerer.verify_reports(asker, verification)
                payload = protected_sums.write_verified(verified)
            case requests.OpenSums(opening):
                payload = protected_sums.write_opened(await answerer.open_sums(asker, opening))
            case requests.SendLetter(letter):
                about = letter.id
                await answerer.receive_letter(asker, letter)
        return answers.completed(request.node, about, payload=payload, session=session, words=words)


def _send(request: Incoming, answer: Element) -> None:
    try:
        serialise(answer)
        request.accept(answer)
    except Malformed as error:
        if error.code is Problem.TOO_LARGE:
            raise BadRequest(code=Code.ANSWER_TOO_LARGE) from None
        raise


def no_such_command() -> ItemNotFound:
    """Return the refusal of an unknown command."""
    return ItemNotFound(code=Code.NO_SUCH_COMMAND)
