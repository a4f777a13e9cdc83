"""The program under test, asked as a reader would."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Final
from uuid import uuid4
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from .results import NotTried
from .session import stanzas
from .session.stanzas import COMMAND, DATA, INFO_QUERY, IQ, ITEMS_QUERY, MESSAGE, Record, tag
from .session.transport import Transport

ANSWER_SECONDS: Final = 60.0
A_MINUTE: Final = 55
"""Requests, of the 60 that every answerer allows (Q-51)."""
PAUSES_SECONDS: Final = (5.0, 20.0, 61.0)
"""Before a request is sent again that was refused with `resource-constraint`."""
DAY: Final = 86_400.0
RESOURCE: Final = "quoalise"
FEDERATION_COMMANDS: Final = frozenset(
    {
        *("list_series", "get_data_needs", "grant", "withdraw", "terminate"),
        *("get_export", "verify_reports", "open_sums", "send_letter"),
    }
)
_BY_SERVERS: Final = frozenset(
    {
        *("service-unavailable", "recipient-unavailable", "remote-server-not-found"),
        *("remote-server-timeout", "gone", "jid-malformed"),
    }
)


class Absent(Exception):
    """Nobody answers at the address; `condition` is what a server says of it, if it does."""

    def __init__(self, condition: str = "") -> None:
        super().__init__(condition)
        self.condition = condition


class NotPermitted(Exception):
    """The account may not read the series that the kit is to try with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to try: a full or bare address, and a series that the account may read there."""

    address: str
    series: str
    foreign: str = ""
    start: float | None = None
    end: float | None = None
    listen_seconds: float = 0.0

    @property
    def jid(self) -> str:
        return self.address if "/" in self.address else f"{self.address}/{RESOURCE}"

    @property
    def bare(self) -> str:
        return self.address.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and the stanza that answered it."""

    request: Element
    answer: Element


class Peer:
    """Asks one request at a time; each different one once, however many checks judge its answer."""

    def __init__(self, transport: Transport, target: Target) -> None:
        self.transport = transport
        self.target = target
        self.exchanges: list[Exchange] = []
        self.pushes: list[Element] = []
        self.strays: list[Element] = []
        """Answers to what the kit did not ask."""
        self.heard: list[Element] = []
        """Pushed messages that checks judge."""
        self.offending: list[Element] = []
        """Stanzas that a check has faulted: no reason to fault the like by the schemas too."""
        self._answers: dict[bytes, Exchange] = {}
        self._asked_at: deque[float] = deque(maxlen=A_MINUTE)

    async def command(
        self,
        node: str,
        *children: Element,
        action: str = "execute",
        language: str = "en",
        **attributes: str,
    ) -> Element:
        """Return the answer to a command."""
        made = stanzas.command(node, *children, action=action, **attributes)
        return await self.ask(made, language=language)

    async def history(
        self,
        start: float | str | None,
        end: float | str | None,
        *,
        series: str | None = None,
        language: str = "en",
    ) -> Element:
        """Return the answer to `get_history`; times that are None are left out."""
        fields = [("identifier", self.target.series if series is None else series)]
        for var, time in (("start_time", start), ("end_time", end)):
            if time is not None:
                fields.append((var, time if isinstance(time, str) else stanzas.utc(time)))
        return await self.command("get_history", stanzas.form(fields), language=language)

    async def subscription(self, node: str, *, again: bool = False) -> Element:
        """Return the answer to `subscribe` or `unsubscribe` for the series."""
        fields = stanzas.form((("identifier", self.target.series),))
        return await self.ask(stanzas.command(node, fields), again=again)

    async def ask(
        self,
        payload: Element,
        *,
        to: str = "",
        kind: str = "set",
        language: str = "en",
        again: bool = False,
    ) -> Element:
        """Return the iq that answers. The same question has the same answer, unless `again`."""
        key = ET.tostring(payload) + f"{to} {kind} {language}".encode()
        if again or key not in self._answers:
            exchange = await self._exchange(payload, to or self.target.jid, kind, language)
            self._answers[key] = exchange
            self.exchanges.append(exchange)
        return self._answers[key].answer

    async def _exchange(self, payload: Element, to: str, kind: str, language: str) -> Exchange:
        for pause in (*PAUSES_SECONDS, None):
            await self._pace()
            request = stanzas.element(IQ, deepcopy(payload), type=kind, to=to, id=uuid4().hex)
            request.set(stanzas.LANGUAGE, language)
            self.transport.send(request)
            answer = await self._answer_to(request)
            refused = stanzas.refusal(answer)
            if refused is None or refused.condition != "resource-constraint" or pause is None:
                break
            await self.transport.sleep(pause)
        return Exchange(request, answer)

    async def _pace(self) -> None:
        """Wait until another request is within what a minute allows."""
        if len(self._asked_at) == A_MINUTE:
            wait = self._asked_at[0] + 60 - self.transport.now()
            if wait > 0:
                await self.transport.sleep(wait)
        self._asked_at.append(self.transport.now())

    async def _answer_to(self, request: Element) -> Element:
        wanted = request.get("id"), request.get("to")
        until = self.transport.now() + ANSWER_SECONDS
        while True:
            stanza = await self._next(until)
            if stanza is None:
                raise Absent
            if stanza.tag == IQ and (stanza.get("id"), stanza.get("from")) == wanted:
                return stanza
            self._sort(stanza)

    async def _next(self, until: float) -> Element | None:
        try:
            return await self.transport.receive(max(0.0, until - self.transport.now()))
        except TimeoutError:
            return None

    def _sort(self, stanza: Element) -> None:
        if stanza.tag == IQ and stanza.get("type") in {"get", "set"}:
            self.transport.send(courtesy(stanza))
        elif stanza.tag == MESSAGE and stanza.find(DATA) is not None:
            self.pushes.append(stanza)
        else:
            self.strays.append(stanza)

    async def push(self, seconds: float, wanted: Callable[[Element], bool]) -> Element | None:
        """Return the next pushed message that is wanted, or None if none comes in time."""
        until = self.transport.now() + seconds
        while True:
            while self.pushes:
                if wanted(pushed := self.pushes.pop(0)):
                    return pushed
            stanza = await self._next(until)
            if stanza is None:
                return None
            self._sort(stanza)

    # What many checks begin with.

    async def info(self) -> Element:
        """Return the answer to disco#info. Raises `Absent` if a server gave it."""
        answer = await self.ask(Element(INFO_QUERY), kind="get")
        refused = stanzas.refusal(answer)
        if refused is not None and refused.condition in _BY_SERVERS:
            raise Absent(refused.condition)
        return answer

    async def features(self) -> frozenset[str]:
        """Return the announced features."""
        return frozenset(
            feature.get("var", "")
            for feature in (await self.info()).iter(tag(stanzas.INFO, "feature"))
        )

    async def commands(self) -> frozenset[str]:
        """Return the commands that disco#items lists."""
        query = Element(ITEMS_QUERY, {"node": stanzas.COMMANDS})
        answer = await self.ask(query, kind="get")
        items = answer.iter(tag(stanzas.ITEMS, "item"))
        return frozenset(node for item in items if (node := item.get("node")))

    async def federated(self) -> None:
        """Raise `NotTried` for a peer that does not speak Federation."""
        if stanzas.FEDERATION not in await self.features() and not (
            FEDERATION_COMMANDS & await self.commands()
        ):
            raise NotTried("no_federation")

    async def collective(self) -> None:
        """Raise `NotTried` for a peer that is no collective."""
        await self.federated()
        if "get_data_needs" not in await self.commands():
            raise NotTried("is_household")

    async def household(self) -> None:
        """Raise `NotTried` for a peer that is no household's."""
        await self.federated()
        if "get_data_needs" in await self.commands():
            raise NotTried("is_collective")

    def range(self) -> tuple[float, float]:
        """Return start and end of the range to try with: the last two days, or as chosen."""
        end = self.target.end or self.transport.now() // 1
        return self.target.start or end - 2 * DAY, end

    async def base(self) -> Element:
        """Return the answer to `get_history` of that range. Raises `NotTried` if it is none."""
        answer = await self.history(*self.range())
        if not succeeded(answer):
            raise NotTried("no_history")
        return answer

    async def timed(self) -> list[Record]:
        """Return the records of that range. Raises `NotTried` if there are none."""
        listed = stanzas.records(await self.base())
        if not listed:
            raise NotTried("no_records")
        return listed

    async def middle(self) -> float:
        """Return a time at which a record starts, with another record before it."""
        starts = sorted({record.time for record in await self.timed()})
        if len(starts) < 2:
            raise NotTried("no_records")
        return starts[len(starts) // 2]


def succeeded(answer: Element) -> bool:
    """Return whether an answer has records, or could have."""
    return answer.get("type") == "result" and answer.find(f"{COMMAND}/{DATA}") is not None


def courtesy(request: Element) -> Element:
    """Return the kit's answer to what it is asked itself: it speaks no Federation."""
    answer = stanzas.element(
        IQ, type="result", to=request.get("from", ""), id=request.get("id", "")
    )
    if request.find(INFO_QUERY) is not None:
        query = stanzas.element(INFO_QUERY)
        query.append(
            stanzas.element(tag(stanzas.INFO, "identity"), category="client", type="console")
        )
        for feature in (stanzas.INFO, stanzas.QUOALISE, stanzas.RECEIPTS):
            query.append(stanzas.element(tag(stanzas.INFO, "feature"), var=feature))
        answer.append(query)
    elif request.find(tag(stanzas.PING, "ping")) is None:
        answer.set("type", "error")
        answer.append(
            stanzas.error("cancel", "feature-not-implemented", "A reader answers no commands.")
        )
    return answer
