"""A client that does all that the protocol demands, as far as the kit sees it, in memory."""

from collections.abc import Callable, Generator
from functools import partial
from itertools import count
from typing import Final
from xml.etree.ElementTree import Element

from quoalise_conformance.checks.content import LENGTHS
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import DATA, IQ, MESSAGE, element, tag
from quoalise_conformance.synthetic import SERIES

from .memory import NOW, Later

CLIENT: Final = "reader@reader.test/client"
SERVER: Final = "kit@server.test/quoalise"
START: Final = NOW - 4 * 86_400
END: Final = NOW - 86_400
SENML: Final = tag(stanzas.SENML, "senml")

type Script = Generator[Element | float, Element]
"""Yields requests, and gets their answers; seconds to wait are sent back as an empty element."""


class Client:
    """Asks what its script says, and acknowledges what is pushed, unless it is broken."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self._ids = count(1)
        self._script = self._asks()
        self._waits_for = ""

    def start(self) -> list[Later]:
        return self._go_on(None)

    def receive(self, stanza: Element, _now: float) -> list[Later]:
        kind = stanza.get("type", "")
        if stanza.tag == IQ and kind in {"result", "error"}:
            if stanza.get("id") == self._waits_for:
                return self._go_on(stanza)
            return [self._echo(stanza)] if self.broken == "Q-62" else []
        if stanza.tag == IQ:
            return [(0, partial(self._features, stanza))]
        if stanza.find(DATA) is not None and self.broken != "Q-65":
            return [(0, partial(self._reaction, stanza))]
        return []

    def _go_on(self, answer: Element | None) -> list[Later]:
        try:
            step = next(self._script) if answer is None else self._script.send(answer)
        except StopIteration:
            return []
        if isinstance(step, float):
            return [(step, lambda: None), (step, self._after_wait)]
        return [(0, lambda: step)]

    def _after_wait(self) -> Element | None:
        step = self._script.send(Element("waited"))
        assert isinstance(step, Element)
        return step

    # Requests

    def _iq(self, payload: Element, **attributes: str) -> Element:
        self._waits_for = f"client-{next(self._ids)}"
        iq = element(IQ, payload, type="set", to=SERVER, id=self._waits_for)
        iq.attrib |= {"from": CLIENT, **attributes}
        return iq

    def _history(self, start: float, end: float) -> Element:
        fields = {
            "identifier": SERIES,
            "start_time": stanzas.utc(start),
            "end_time": stanzas.utc(end),
        }
        attributes = {}
        action = "execute"
        match self.broken:
            case "Q-24":
                fields["identifier"] = "urn:dev:prm:123_consumption/power/active/raw"
            case "Q-31":
                action = "complete"
            case "Q-36" if (start, end) == (START, END):
                del fields["end_time"]
            case "Q-37":
                fields = {var: value.replace("+00:00", "") for var, value in fields.items()}
            case "Q-39":
                fields = {var: value.replace("+00:00", "Z") for var, value in fields.items()}
            case "Q-82":
                attributes["sessionid"] = "1" * (LENGTHS["policy"] + 1)
            case "schema":
                attributes["colour"] = "red"
        asked = stanzas.command(
            "get_history", stanzas.form(fields.items()), action=action, **attributes
        )
        return self._iq(asked)

    def _asks(self) -> Script:
        yield self._iq(stanzas.command("list_series"))
        yield from self._reads(START, END)
        if self.broken == "Q-51":
            for _ in range(61):
                yield self._iq(stanzas.command("list_series"))
        fields = stanzas.form((("identifier", SERIES),))
        yield self._iq(stanzas.command("subscribe", fields))

    def _reads(self, start: float, end: float) -> Generator[Element | float, Element]:
        answer = yield self._history(start, end)
        refused = stanzas.refusal(answer)
        if refused and refused.condition == "resource-constraint":
            if self.broken != "Q-56":
                yield 5.0
            answer = yield self._history(start, end)
            refused = stanzas.refusal(answer)
        if refused and refused.condition == "bad-request" and self.broken not in {"Q-37", "Q-46"}:
            middle = (start + end) / 2
            yield from self._reads(start, middle)
            yield from self._reads(middle, end)

    # Answers and reactions

    def _features(self, asked: Element) -> Element:
        feature = element(tag(stanzas.INFO, "feature"), var=stanzas.RECEIPTS)
        query = element(stanzas.INFO_QUERY, feature)
        return self._back(asked, IQ, query, type="result")

    def _echo(self, stanza: Element) -> Later:
        return 0, partial(self._back, stanza, IQ, type="result")

    @staticmethod
    def _back(stanza: Element, name: str, *children: Element, **attributes: str) -> Element:
        back = element(name, *children, to=SERVER, id=stanza.get("id", ""), **attributes)
        back.set("from", CLIENT)
        return back

    def _reaction(self, message: Element) -> Element | None:
        if self._accepts(message):
            received = element(stanzas.RECEIVED, id=message.get("id", ""))
            return self._back(message, MESSAGE, received)
        if self.broken == "Q-78":
            return None
        error = stanzas.error("modify", "bad-request", "It cannot be read.")
        return self._back(message, MESSAGE, error, type="error")

    def _accepts(self, message: Element) -> bool:
        records = stanzas.records(message)
        names = {name for each in message.iter(SENML) for name in each.attrib}
        own = {"unknown": any(stanzas.UNKNOWN in each.tag for each in message.iter())}
        tests: dict[str, Callable[[], bool]] = {
            # What is broken: whether a message shows it.
            "Q-5": lambda: own["unknown"],
            "Q-7": lambda: not records,
            "Q-11": lambda: "bv" in names,
            "Q-15": lambda: any(not 2**28 <= each.time < 4_102_444_800 for each in records),
            "Q-17": lambda: (
                any(not abs(each.value) <= 2**53 for each in records) and "vs" not in names
            ),
            "Q-18": lambda: bool(names & {"vs", "colour_"}) or '"11"' in _text(message),
            "Q-19": lambda: "colour" in names,
            "Q-83": lambda: any(len(each.unit) > 32 for each in records),
        }
        to_refuse = ("Q-15", "Q-17", "Q-18", "Q-83")
        if self.broken in tests and tests[self.broken]():
            return self.broken in to_refuse
        return not any(tests[each]() for each in to_refuse)


def _text(message: Element) -> str:
    return str([dict(each.attrib) for each in message.iter(SENML)]).replace("'", '"')
