"""Stanzas as a program without any library of the protocol writes and reads them."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
import math
import re
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape, quoteattr

CLIENT: Final = "jabber:client"
COMMANDS: Final = "http://jabber.org/protocol/commands"
FEDERATION: Final = "urn:consometers:federation:0"
FORMS: Final = "jabber:x:data"
HINTS: Final = "urn:xmpp:hints"
INFO: Final = "http://jabber.org/protocol/disco#info"
ITEMS: Final = "http://jabber.org/protocol/disco#items"
PING: Final = "urn:xmpp:ping"
QUOALISE: Final = "urn:quoalise:0"
RECEIPTS: Final = "urn:xmpp:receipts"
SENML: Final = "urn:ietf:params:xml:ns:senml"
STANZAS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"

LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
UNKNOWN: Final = "urn:example:conformance"
"""The namespace of content that no program knows."""

_LONGEST: Final = 1_500
_HIDDEN: Final = ("reports", "export", "verification", "opening", "opened")
"""What would be unreadable, or personal, as a stanza is shown."""


def tag(namespace: str, name: str) -> str:
    """Return a name as ElementTree writes it."""
    return f"{{{namespace}}}{name}"


COMMAND: Final = tag(COMMANDS, "command")
DATA: Final = tag(QUOALISE, "quoalise")
ERROR: Final = tag(CLIENT, "error")
FIELD: Final = tag(FORMS, "field")
FORM: Final = tag(FORMS, "x")
INFO_QUERY: Final = tag(INFO, "query")
IQ: Final = tag(CLIENT, "iq")
ITEMS_QUERY: Final = tag(ITEMS, "query")
MESSAGE: Final = tag(CLIENT, "message")
RECEIVED: Final = tag(RECEIPTS, "received")


class Refusal(NamedTuple):
    """The error of a stanza; `texts` by language, "" where none is given."""

    condition: str
    type: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """A record as its base fields make it; what cannot be read is "" or NaN."""

    name: str
    time: float
    value: float
    unit: str
    element: Element


def element(name: str, /, *children: Element, text: str = "", **attributes: str) -> Element:
    """Return an element; its attributes have no namespace."""
    made = Element(name, attributes)
    made.text = text or None
    made.extend(children)
    return made


def command(node: str, *children: Element, action: str = "execute", **attributes: str) -> Element:
    """Return a `<command>`; an empty action is left out."""
    if action:
        attributes["action"] = action
    return element(COMMAND, *children, node=node, **attributes)


def form(fields: Iterable[tuple[str, str]], kind: str = "submit") -> Element:
    """Return a form with these fields, in their order."""
    made = Element(FORM, {"type": kind})
    for var, value in fields:
        field = SubElement(made, FIELD, {"var": var, "type": "text-single"})
        SubElement(field, tag(FORMS, "value")).text = value
    return made


def values(command_or_form: Element) -> dict[str, str]:
    """Return the fields of a form that have a value; the first value of each."""
    pairs = (
        (field.get("var", ""), field.findtext(tag(FORMS, "value")) or "")
        for field in command_or_form.iter(FIELD)
    )
    return {var: value for var, value in pairs if value}


def utc(seconds: float) -> str:
    """Return a time as the protocol prefers it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def seconds(time: str) -> float | None:
    """Return a time with its offset in seconds since 1970, or None."""
    try:
        read = datetime.fromisoformat(time)
    except ValueError:
        return None
    return None if read.tzinfo is None else read.timestamp()


def refusal(stanza: Element) -> Refusal | None:
    """Return the error of a stanza, or None if there is none."""
    error = stanza.find(ERROR)
    if stanza.get("type") != "error" or error is None:
        return None
    conditions = [child.tag for child in error if child.tag.startswith(f"{{{STANZAS}}}")]
    texts = {
        child.get(LANGUAGE, ""): child.text or "" for child in error.iter(tag(STANZAS, "text"))
    }
    condition = next((name for name in conditions if not name.endswith("}text")), "")
    return Refusal(condition.partition("}")[2], error.get("type", ""), texts)


def error(kind: str, condition: str, text: str, language: str = "en", *more: Element) -> Element:
    """Return an `<error>`."""
    sentence = element(tag(STANZAS, "text"), text=text)
    sentence.set(LANGUAGE, language)
    return element(ERROR, Element(tag(STANZAS, condition)), sentence, *more, type=kind)


def records(stanza: Element) -> list[Record]:
    """Return all records of a stanza; base fields go on from record to record."""
    listed = []
    for sensml in stanza.iter(tag(SENML, "sensml")):
        base = {"bn": "", "bt": "0", "bu": "", "bv": "0"}
        for senml in sensml.iter(tag(SENML, "senml")):
            base |= {name: senml.get(name, value) for name, value in base.items()}
            listed.append(
                Record(
                    base["bn"] + senml.get("n", ""),
                    number(base["bt"]) + number(senml.get("t", "0")),
                    number(base["bv"]) + number(senml.get("v", "")),
                    senml.get("u", base["bu"]),
                    senml,
                )
            )
    return listed


def number(written: str) -> float:
    """Return a number of SenML, or NaN."""
    if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", written, re.ASCII) is None:
        return math.nan
    return float(written)


def levels(stanza: Element) -> int:
    """Count the levels of an element."""
    return 1 + max(map(levels, stanza), default=0)


def attributes(stanza: Element) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each attribute in an element, without namespaces."""
    for each in stanza.iter():
        for name, value in each.items():
            yield name.rpartition("}")[2], value


def size(payload: Element) -> int:
    """Return the bytes of an element, without its namespaces: no writer can need fewer."""
    bare = deepcopy(payload)
    for each in bare.iter():
        each.tag = each.tag.rpartition("}")[2]
    return len(ET.tostring(bare, encoding="utf-8"))


def shown(stanza: Element) -> str:
    """Return a stanza as it goes into a report: not too long, without personal content."""
    copy = deepcopy(stanza)
    for each in copy.iter():
        if each.tag.rpartition("}")[2] in _HIDDEN and each.text:
            each.text = "…"
        for secret in each.attrib.keys() & {"token", "verification-key"}:
            each.set(secret, "…")
    text = serialised(copy, CLIENT)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def serialised(each: Element, above: str = "") -> str:
    """Return an element without prefixes, which some servers do not read, within a namespace."""
    namespace, _, name = each.tag[1:].rpartition("}")
    if not namespace:
        name = each.tag
    parts = [name]
    if namespace != above:
        parts.append(f"xmlns={quoteattr(namespace)}")
    for full_name, value in each.items():
        attribute_namespace, _, attribute = full_name.lstrip("{").rpartition("}")
        if full_name == LANGUAGE:
            attribute = "xml:lang"
        elif attribute_namespace:
            parts.append(f"xmlns:a={quoteattr(attribute_namespace)}")
            attribute = f"a:{attribute}"
        parts.append(f"{attribute}={quoteattr(value)}")
    inside = escape(each.text or "") + "".join(
        serialised(child, namespace) + escape(child.tail or "") for child in each
    )
    return f"<{' '.join(parts)}>{inside}</{name}>" if inside else f"<{' '.join(parts)}/>"
