"""A server that a client under test asks: it answers a synthetic series, and notes all requests."""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4
from xml.etree.ElementTree import Element, SubElement

from . import synthetic
from .checks.requests import MAX_RECORDS, TYPES
from .session import stanzas
from .session.stanzas import COMMAND, FIELD, FORM, IQ, ITEMS_QUERY, MESSAGE, element, tag
from .session.transport import Ended, Transport
from .synthetic import SERIES, Trial

COMMANDS: Final = ("get_history", "subscribe", "unsubscribe", "list_series")
HOLD_SECONDS: Final = 0.3
"""Before an answer, so that a request that does not wait for it is seen."""
REACTION_SECONDS: Final = 60.0
SHORT_SECONDS: Final = 7_200
"""Ranges up to this are never refused as too long."""
_FEATURES: Final = (stanzas.INFO, stanzas.ITEMS, stanzas.QUOALISE, stanzas.COMMANDS, stanzas.FORMS)


@dataclass(slots=True)
class Request:
    """A command that came; `refused` is the condition of the answer, or ""."""

    stanza: Element
    at: float
    overlaps: bool
    refused: str = ""

    @property
    def node(self) -> str:
        return self.stanza.find(COMMAND).get("node", "")  # type: ignore[union-attr]

    @property
    def fields(self) -> dict[str, str]:
        return stanzas.values(self.stanza)

    @property
    def range(self) -> tuple[float | None, float | None]:
        """Start and end, as far as they are there and can be read."""
        start, end = (self.fields.get(var, "") for var in ("start_time", "end_time"))
        return stanzas.seconds(start), stanzas.seconds(end)


class Refused(Exception):
    """Why a request is refused."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(condition)
        self.condition = condition
        self.text = text


class Served:
    """Answers over a transport until the client has done enough."""

    def __init__(self, transport: Transport, wait_for: int | None = None) -> None:
        self.transport = transport
        self.requests: list[Request] = []
        self.receipts: bool | None = None
        """Whether the subscriber announces them; None until it says so."""
        self.pushed: dict[str, Trial] = {}
        self.reactions: dict[str, str] = {}
        """`receipt` or `error`, by the id of a pushed message."""
        self.answered_errors: list[Element] = []
        self.offending: list[Element] = []
        self._wait_for = wait_for
        self._later: deque[Element] = deque()
        self._errors: set[str] = set()
        self._busy = False
        self._has_subscriber = False
        self._constrained = False
        self._shortened = False
        self._asked_features: dict[str, str] = {}
        """The full addresses of subscribers, by the id of the question."""

    async def run(self) -> None:
        """Answer until the end."""
        with suppress(Ended, TimeoutError):
            while not self._is_done():
                await self._handle(await self._next())

    @property
    def _has_enough(self) -> bool:
        return self._wait_for is not None and len(self.requests) >= self._wait_for

    def _is_done(self) -> bool:
        if not self._has_enough or self._later or self._asked_features:
            return False
        return not self.pushed or list(self.pushed)[-1] in self.reactions

    async def _next(self) -> Element:
        if self._later:
            return self._later.popleft()
        return await self.transport.receive(REACTION_SECONDS if self._has_enough else None)

    async def _handle(self, stanza: Element) -> None:
        stanza_id, kind = stanza.get("id", ""), stanza.get("type", "")
        if stanza_id in self._errors:
            self.answered_errors.append(stanza)
        elif stanza.tag == IQ and kind in {"get", "set"}:
            if stanza.find(COMMAND) is not None:
                await self._command(stanza)
            else:
                self._courtesy(stanza)
        elif stanza.tag == IQ and stanza_id in self._asked_features:
            self._learn_features(stanza)
            self._push(self._asked_features.pop(stanza_id))
        elif stanza.tag == MESSAGE and kind == "error":
            self.reactions.setdefault(stanza_id, "error")
        elif (received := stanza.find(stanzas.RECEIVED)) is not None:
            self.reactions.setdefault(received.get("id", ""), "receipt")

    async def _command(self, stanza: Element) -> None:
        request = Request(stanza, self.transport.now(), self._busy)
        self.requests.append(request)
        with suppress(TimeoutError):
            early = await self.transport.receive(HOLD_SECONDS)
            self._later.append(early)
            if early.find(COMMAND) is not None and _bare(early) == _bare(stanza):
                self._busy = True
        answer = self._reply(stanza)
        try:
            answer.append(self._answer(request))
        except Refused as refused:
            request.refused = refused.condition
            answer.set("type", "error")
            answer.append(stanzas.error(TYPES[refused.condition], refused.condition, refused.text))
        self.transport.send(answer)
        self._busy = bool(self._later) and self._busy
        if request.node == "subscribe" and not request.refused and not self._has_subscriber:
            self._ask_features(stanza.get("from", ""))

    @staticmethod
    def _reply(stanza: Element) -> Element:
        return element(IQ, type="result", to=stanza.get("from", ""), id=stanza.get("id", ""))

    def _answer(self, request: Request) -> Element:
        if request.node not in COMMANDS:
            raise Refused("item-not-found", "This server has get_history and subscriptions alone.")
        command = request.stanza.find(COMMAND)
        assert command is not None
        form = command.find(FORM)
        cancelled = form is not None and form.get("type") == "cancel"
        if command.get("action") == "cancel" or cancelled:
            return _completed(request.node, status="canceled")
        if request.node == "list_series":
            return _completed(request.node, self._table())
        if form is None:
            return _completed(request.node, _to_fill(request.node), status="executing", session="1")
        name = request.fields.get("identifier", "")
        if not name.lower().startswith("urn:dev:"):
            raise Refused("bad-request", f"command/{request.node}/identifier: name a series.")
        if "urn:dev:" + name[8:] != SERIES:
            raise Refused("not-authorized", f"There is no permission to read this: {SERIES} is.")
        if request.node != "get_history":
            return _completed(request.node, _success())
        return _completed(request.node, _success(), self._history(request))

    def _history(self, request: Request) -> Element:
        fields, (start, end) = request.fields, request.range
        now = self.transport.now()
        if ("start_time" in fields) != (start is not None) or ("end_time" in fields) != (
            end is not None
        ):
            raise Refused("bad-request", "command/get_history/start_time: add its offset from UTC.")
        end = now if end is None else end
        start = end - 86_400 if start is None else start
        if end < start:
            raise Refused("bad-request", "command/get_history/end_time: it is before the start.")
        if not self._constrained:
            self._constrained = True
            raise Refused("resource-constraint", "Too many requests: ask again in a moment.")
        times = synthetic.history(start, end, now)
        if len(times) > MAX_RECORDS or (not self._shortened and end - start > SHORT_SECONDS):
            self._shortened = True
            raise Refused("bad-request", "The answer is too long: ask for a shorter range.")
        return synthetic.quoalise(synthetic.sensml(times))

    def _table(self) -> Element:
        row = {"identifier": SERIES, "interval": "PT1H", "unit": "W"}
        table = Element(FORM, {"type": "result"})
        table.append(element(tag(stanzas.FORMS, "title"), text="Series"))
        reported = SubElement(table, tag(stanzas.FORMS, "reported"))
        item = SubElement(table, tag(stanzas.FORMS, "item"))
        for var, value in row.items():
            reported.append(element(FIELD, var=var, type="text-single", label=var))
            item.append(element(FIELD, element(tag(stanzas.FORMS, "value"), text=value), var=var))
        return table

    def _courtesy(self, stanza: Element) -> None:
        answer = self._reply(stanza)
        if stanza.find(stanzas.INFO_QUERY) is not None:
            identity = element(tag(stanzas.INFO, "identity"), category="client", type="bot")
            features = (element(tag(stanzas.INFO, "feature"), var=each) for each in _FEATURES)
            answer.append(element(stanzas.INFO_QUERY, identity, *features))
        elif (query := stanza.find(ITEMS_QUERY)) is not None:
            items = []
            if query.get("node") == stanzas.COMMANDS:
                jid = self.transport.jid
                name = tag(stanzas.ITEMS, "item")
                items = [element(name, jid=jid, node=each, name=each) for each in COMMANDS]
            answer.append(element(ITEMS_QUERY, *items, **query.attrib))
        elif stanza.find(tag(stanzas.PING, "ping")) is None:
            answer.set("type", "error")
            text = "This server answers commands alone."
            answer.append(stanzas.error("cancel", "feature-not-implemented", text))
        self.transport.send(answer)

    def _ask_features(self, subscriber: str) -> None:
        self._has_subscriber = True
        question = element(
            IQ, Element(stanzas.INFO_QUERY), type="get", to=subscriber, id=uuid4().hex
        )
        self._asked_features[question.get("id", "")] = subscriber
        self.transport.send(question)

    def _learn_features(self, answer: Element) -> None:
        refused = stanzas.refusal(answer)
        # Servers answer for absent clients, so another error says nothing.
        if refused is None or refused.condition == "feature-not-implemented":
            features = {each.get("var") for each in answer.iter(tag(stanzas.INFO, "feature"))}
            self.receipts = stanzas.RECEIPTS in features

    def _push(self, subscriber: str) -> None:
        bare = subscriber.partition("/")[0]
        for name in (IQ, MESSAGE):
            self._errors.add(error_id := uuid4().hex)
            error = stanzas.error("cancel", "feature-not-implemented", "This is an error.")
            self.transport.send(element(name, error, type="error", to=subscriber, id=error_id))
        for trial in synthetic.trials(self.transport.now()):
            message = element(
                MESSAGE,
                trial.payload,
                Element(tag(stanzas.RECEIPTS, "request")),
                Element(tag(stanzas.HINTS, "no-permanent-store")),
                to=bare,
                id=uuid4().hex,
            )
            self.pushed[message.get("id", "")] = trial
            self.transport.send(message)


def _bare(stanza: Element) -> str:
    return stanza.get("from", "").partition("/")[0]


def _completed(
    node: str, *children: Element, status: str = "completed", session: str = ""
) -> Element:
    sessions = {"sessionid": session} if session else {}
    return element(COMMAND, *children, node=node, status=status, **sessions)


def _success() -> Element:
    value = element(tag(stanzas.FORMS, "value"), text="Success")
    title = element(tag(stanzas.FORMS, "title"), text="Done")
    return element(FORM, title, element(FIELD, value, var="result", type="fixed"), type="result")


def _to_fill(node: str) -> Element:
    names = ("identifier", "start_time", "end_time")[: 3 if node == "get_history" else 1]
    fields = (element(FIELD, var=name, type="text-single", label=name) for name in names)
    return element(FORM, element(tag(stanzas.FORMS, "title"), text=node), *fields, type="form")
