"""A peer that does all that the protocol demands, as far as the kit sees it, in memory."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
import hashlib
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element, SubElement
from zoneinfo import ZoneInfo

from quoalise_conformance.checks.content import is_identifier
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import COMMAND, FIELD, FORM, IQ, MESSAGE, element, tag

from .memory import NOW, Later

HOUR: Final = 3_600
DAYS: Final = 4
HOME: Final = "home@home.test/quoalise"
COLLECTIVE: Final = "collective@coop.test/quoalise"
POINT: Final = "urn:dev:prm:30001610071843_consumption/power/active/raw"
SUMS: Final = "urn:dev:org:60060-exemple_consumption/power/active/raw"
DAILY: Final = "urn:dev:org:60060-exemple_consumption/energy/active/daily"
MONTHLY: Final = "urn:dev:org:60060-exemple_consumption/energy/monthly/"
FOREIGN: Final = "urn:dev:prm:22222222222222_consumption/power/active/raw"
PARIS: Final = ZoneInfo("Europe/Paris")

TYPES: Final = {
    "not-authorized": "auth",
    "bad-request": "modify",
    "resource-constraint": "wait",
}
TEXTS: Final = {
    "en": "Ask for something else: {place}.",
    "fr": "Demandez autre chose : {place}.",
}
LABELS: Final = {
    "en": {"identifier": "Identifier", "start_time": "Start", "end_time": "End"},
    "fr": {"identifier": "Identifiant", "start_time": "Début", "end_time": "Fin"},
}

type Mutation = Callable[[Element, list[Element]], list[Element] | None]
"""Takes a request and its answers; returns others, or None for those that it has edited."""


class Refused(Exception):
    def __init__(self, condition: str, place: str = "this") -> None:
        self.condition, self.place = condition, place


class Reference:
    """A home or a collective; a mutation makes it break something."""

    def __init__(self, *, collective: bool = False, mutate: Mutation | None = None) -> None:
        self.jid = COLLECTIVE if collective else HOME
        self.series = SUMS if collective else POINT
        self._collective = collective
        self._mutate = mutate or (lambda _request, _answers: None)
        self._subscription = 0
        self._subscribed = False
        self._acknowledged: set[str] = set()

    @property
    def commands(self) -> tuple[str, ...]:
        common = ("get_history", "subscribe", "unsubscribe", "list_series", "terminate")
        return (
            (*common, "get_data_needs", "grant", "withdraw", "get_export")
            if self._collective
            else (*common, "send_letter")
        )

    def receive(self, stanza: Element, now: float) -> list[Later]:
        if (receipt := stanza.find(stanzas.RECEIVED)) is not None:
            self._acknowledged.add(receipt.get("id", ""))
        answers = self._answers(stanza, now)
        answers = self._given(stanza, answers)
        later: list[Later] = [(0, partial(deepcopy, answer)) for answer in answers]
        if self._subscribed and _node(stanza) == "subscribe":
            pushes = self._given(element(MESSAGE), [self._push(stanza), self._push(stanza)])
            later += [
                (seconds, partial(self._due, pushed, self._subscription))
                for seconds, pushed in zip((10, 130), pushes, strict=False)
            ]
        return later

    def _given(self, request: Element, answers: list[Element]) -> list[Element]:
        mutated = self._mutate(request, answers)
        return answers if mutated is None else mutated

    def _due(self, pushed: Element, subscription: int) -> Element | None:
        lasts = self._subscribed and self._subscription == subscription
        waits = lasts and pushed.get("id") not in self._acknowledged
        return pushed if waits else None

    def _push(self, asked: Element) -> Element:
        message = element(
            MESSAGE,
            self._data(self.series, [NOW], 3 if self._collective else None),
            Element(tag(stanzas.RECEIPTS, "request")),
            Element(tag(stanzas.HINTS, "no-permanent-store")),
            to=asked.get("from", "").partition("/")[0],
            id="push-1",
        )
        message.set("from", self.jid)
        return message

    def _answers(self, stanza: Element, now: float) -> list[Element]:
        if stanza.tag != IQ or stanza.get("type") not in {"get", "set"}:
            return []
        answer = element(IQ, to=stanza.get("from", ""), type="result", id=stanza.get("id", ""))
        answer.set("from", stanza.get("to", ""))
        language = "fr" if stanza.get(stanzas.LANGUAGE, "").startswith("fr") else "en"
        try:
            answer.append(self._payload(stanza[0], now, language))
        except Refused as refused:
            kind = TYPES.get(refused.condition, "cancel")
            text = TEXTS[language].format(place=refused.place)
            answer.set("type", "error")
            answer.append(stanzas.error(kind, refused.condition, text, language))
        return [answer]

    def _payload(self, payload: Element, now: float, language: str) -> Element:
        match payload.tag:
            case stanzas.INFO_QUERY:
                return self._info()
            case stanzas.ITEMS_QUERY:
                return element(
                    stanzas.ITEMS_QUERY,
                    *(
                        element(tag(stanzas.ITEMS, "item"), jid=self.jid, node=node, name=node)
                        for node in self.commands
                    ),
                    node=stanzas.COMMANDS,
                )
            case stanzas.COMMAND:
                return self._command(payload, now, language)
            case _:
                raise Refused("feature-not-implemented")

    def _info(self) -> Element:
        query = element(
            stanzas.INFO_QUERY,
            element(tag(stanzas.INFO, "identity"), category="client", type="bot"),
        )
        features = (
            stanzas.INFO,
            stanzas.QUOALISE,
            stanzas.COMMANDS,
            stanzas.FORMS,
            stanzas.FEDERATION,
        )
        query.extend(element(tag(stanzas.INFO, "feature"), var=feature) for feature in features)
        if self._collective:
            policy = {"purpose": "Sums.", "retention": "A year.", "location": "Here."}
            form = stanzas.form({"FORM_TYPE": "urn:xmpp:data-policy:0", **policy}.items(), "result")
            form[0].set("type", "hidden")
            query.append(form)
        return query

    def _command(self, command: Element, now: float, language: str) -> Element:
        node = command.get("node", "")
        everywhere = (*self.commands, "withdraw", "get_data_needs", "grant", "get_export")
        if node not in (*everywhere, "verify_reports", "open_sums", "send_letter"):
            raise Refused("bad-request", "command/node")
        if node not in self.commands:
            raise Refused("item-not-found")
        session = command.get("sessionid")
        form = command.find(FORM)
        cancelled = form is not None and form.get("type") == "cancel"
        if command.get("action") == "cancel" or cancelled:
            return self._answer(node, session, status="canceled")
        if node == "list_series":
            return self._answer(node, session, self._table(language))
        if node == "get_data_needs":
            return self._answer(node, session, _success(), data_needs())
        if node in {"grant", "send_letter"}:
            raise Refused("bad-request", f"command/{node}")
        if form is None:
            return self._answer(node, session or "1", _to_fill(language), status="executing")
        fields = _fields(form, node)
        match node:
            case "get_history":
                return self._answer(node, session, _success(), self._history(fields, now))
            case "subscribe" | "unsubscribe":
                self._permit(fields["identifier"])
                if "/monthly/" in fields["identifier"]:
                    raise Refused("bad-request")
                self._subscribed = node == "subscribe"
                self._subscription += 1
                return self._answer(node, session, _success())
            case "get_export":
                return self._answer(node, session, _success(), export())
            case _:
                raise Refused("item-not-found")

    @staticmethod
    def _answer(
        node: str, session: str | None, *children: Element, status: str = "completed"
    ) -> Element:
        sessions = {} if session is None else {"sessionid": session}
        return element(COMMAND, *children, node=node, status=status, **sessions)

    def _permit(self, name: str) -> None:
        readable = (self.series, f"{self.series}/members", f"{self.series}/without-homes", DAILY)
        if name not in readable[: None if self._collective else 1] and not (
            self._collective and name.startswith(MONTHLY)
        ):
            raise Refused("not-authorized")

    def _history(self, fields: Mapping[str, str], now: float) -> Element:
        place = "command/get_history/"
        name = fields.get("identifier", "")
        name = "urn:dev:" + name[8:] if name[:8].lower() == "urn:dev:" else name
        if not is_identifier(name):
            raise Refused("bad-request", f"{place}identifier")
        times = {}
        for var in ("start_time", "end_time"):
            times[var] = stanzas.seconds(fields[var]) if var in fields else None
            if var in fields and times[var] is None:
                raise Refused("bad-request", f"{place}{var}")
        end = times["end_time"] or now
        start = times["start_time"] or end - 86_400
        if end < start:
            raise Refused("bad-request", f"{place}end_time")
        self._permit(name)
        first = NOW - DAYS * 86_400
        if end < first and not self._collective:
            raise Refused("not-authorized")
        if name.startswith(MONTHLY):
            return self._months(name, start, end)
        step = 86_400 if name == DAILY else HOUR
        hours = [first + n * step for n in range(round((NOW - first) / step))]
        in_range = [hour for hour in hours if start <= hour < end]
        return self._data(name, in_range, 23 if self._collective else None)

    def _data(self, name: str, hours: list[float], members: int | None) -> Element:
        sensml = Element(tag(stanzas.SENML, "sensml"))
        if not name.endswith(("/members", "/without-homes")):
            _append(
                sensml,
                name,
                "Wh" if name == DAILY else "W",
                {hour: 100 + hour // HOUR % 50 for hour in hours},
            )
        if members is not None and not name.endswith("/without-homes"):
            counted = name if name.endswith("/members") else f"{name}/members"
            _append(sensml, counted, "count", dict.fromkeys(hours, members))
        return self._quoalise(sensml, name)

    def _months(self, name: str, start: float, end: float) -> Element:
        starts = [datetime(2025, month, 1, tzinfo=PARIS) for month in range(1, 13)]
        sensml = Element(tag(stanzas.SENML, "sensml"))
        ends = (
            ("lower-quartile", "median", "upper-quartile")
            if name.endswith("/median")
            else (name.rpartition("/")[2],)
        )
        for place, quartile in enumerate(ends, 9):
            values = {}
            for month, following in pairwise(starts):
                if start <= month.timestamp() < end:
                    values[month.timestamp()] = (
                        1_000 * place * (following.date() - month.date()).days
                    )
            _append(sensml, f"{MONTHLY}{quartile}", "Wh", values)
        return self._quoalise(sensml, name)

    def _quoalise(self, sensml: Element, name: str) -> Element:
        is_energy = "/energy/" in name
        measured = {
            "name": "energy" if is_energy else "active-power",
            "direction": "consumption",
            "quantity": "energy" if is_energy else "power",
            "type": "electrical",
            "unit": "Wh" if is_energy else "W",
            "sampling-interval": "P1M"
            if "/monthly/" in name
            else "P1D"
            if name == DAILY
            else "PT1H",
        }
        if not is_energy:
            measured["aggregation"] = "mean"
        device = element(
            tag(stanzas.QUOALISE, "device"),
            type="collective" if self._collective else "electricity-meter",
        )
        measurement = element(tag(stanzas.QUOALISE, "measurement"), **measured)
        meta = element(tag(stanzas.QUOALISE, "meta"), device, measurement)
        data = element(tag(stanzas.QUOALISE, "data"), meta, sensml)
        return element(stanzas.DATA, data)

    def _table(self, language: str) -> Element:
        first, last = (stanzas.utc(time) for time in (NOW - DAYS * 86_400, NOW - HOUR))
        row = {"interval": "PT1H", "unit": "W", "first": first, "last": last}
        row["device"] = "collective" if self._collective else "electricity-meter"
        listed = [{"identifier": self.series, **row}]
        if self._collective:
            listed[0] |= {"local_price": "15.5", "grid_price": "21"}
            listed.append({"identifier": DAILY, **row, "interval": "P1D", "unit": "Wh"})
        table = Element(FORM, {"type": "result"})
        table.append(element(tag(stanzas.FORMS, "title"), text="Series"))
        reported = SubElement(table, tag(stanzas.FORMS, "reported"))
        for var in listed[0]:
            label = f"{var} ({language})"
            reported.append(element(FIELD, var=var, type="text-single", label=label))
        for each in listed:
            item = SubElement(table, tag(stanzas.FORMS, "item"))
            for var, value in each.items():
                field = SubElement(item, FIELD, {"var": var})
                field.append(element(tag(stanzas.FORMS, "value"), text=value))
        return table


def _node(stanza: Element) -> str:
    command = stanza.find(COMMAND)
    return "" if command is None else command.get("node", "")


def _append(sensml: Element, name: str, unit: str, values: Mapping[float, float]) -> None:
    base = min(values, default=0.0)
    for place, (time, value) in enumerate(values.items()):
        senml = SubElement(sensml, tag(stanzas.SENML, "senml"))
        if place == 0:
            senml.attrib |= {"bn": name, "bt": f"{base:.0f}", "bu": unit}
        senml.attrib |= {"t": f"{time - base:.0f}", "v": f"{value:.0f}"}


def _fields(form: Element, node: str) -> dict[str, str]:
    names = [field.get("var", "") for field in form.iter(FIELD)]
    if len(names) != len(set(names)) or any(len(field) > 1 for field in form.iter(FIELD)):
        raise Refused("bad-request", f"command/{node}")
    return stanzas.values(form)


def _success() -> Element:
    form = Element(FORM, {"type": "result"})
    form.append(element(tag(stanzas.FORMS, "title"), text="Done"))
    field = SubElement(form, FIELD, {"var": "result", "type": "fixed"})
    field.append(element(tag(stanzas.FORMS, "value"), text="Success"))
    return form


def _to_fill(language: str) -> Element:
    form = Element(FORM, {"type": "form"})
    form.append(element(tag(stanzas.FORMS, "title"), text="Title"))
    for var, label in LABELS[language].items():
        form.append(element(FIELD, var=var, type="text-single", label=label))
    return form


def data_needs() -> Element:
    """Two requests: for each member's records, and for sums."""

    def federated(name: str, *, text: str = "", **attributes: str) -> Element:
        return element(tag(stanzas.FEDERATION, name), text=text, **attributes)

    listed = []
    for reading in ("individual", "sum"):
        title, purpose = federated("title", text="A sum"), federated("purpose", text="To show it.")
        for each in (title, purpose):
            each.set(stanzas.LANGUAGE, "en")
        need = element(
            tag(stanzas.FEDERATION, "data-need"),
            title,
            purpose,
            federated("controller", text="A cooperative"),
            federated("contact", text="data@coop.test"),
            federated("policy", text="https://coop.test/data"),
            federated("series", direction="consumption", quantity="power"),
            id=reading,
            version="1",
            interval="PT1H",
            history="PT0S",
            duration="P1Y",
            retention="P1Y",
            identification="pseudonym",
            reading=reading,
        )
        if reading == "sum":
            witness = federated("witness", jid="w@w.test", url="https://w.test", minimum="10")
            witness.append(federated("name", text="Witness"))
            witness.append(federated("contact", text="data@w.test"))
            need.append(witness)
        listed.append(need)
    return element(tag(stanzas.FEDERATION, "data-needs"), *listed)


def export() -> Element:
    content = b"PK" * 100
    return element(
        tag(stanzas.FEDERATION, "export"),
        text=b64encode(content).decode(),
        id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        time=datetime.fromtimestamp(NOW, UTC).isoformat(),
        size=str(len(content)),
        sha256=hashlib.sha256(content).hexdigest(),
        part="1",
        parts="1",
    )
