"""Requests and messages of peers, and answers: a result, a receipt (XEP-0184), or an error.

Between nodes a receipt means more than delivery: what was pushed is committed.
"""

from xml.etree.ElementTree import Element, SubElement

from slixmpp.basexmpp import BaseXMPP
from slixmpp.stanza import Iq, Message
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import (
    DEFAULT_LANGUAGE,
    Malformed,
    Problem,
    QuoaliseError,
    stanza_errors,
)
from consometers_quoalise.elements.markup import MAX_BYTES, serialise, tag
from consometers_quoalise_network.transport import Speak, memory_of

RECEIPTS = "urn:xmpp:receipts"
REQUEST = tag(RECEIPTS, "request")
RECEIVED = tag(RECEIPTS, "received")
NO_ARCHIVE = "{urn:xmpp:hints}no-permanent-store"
"""Servers keep what stands beside it no longer than it takes to deliver it (XEP-0334)."""

_LONGER = len("&quot;") - 1
_MAX_LENGTH = 35
"""Characters of a language tag (RFC 5646 §4.4.1)."""


class _Stanza[Kind: StanzaBase]:
    """A stanza with a payload of that name."""

    def __init__(self, stanza: Kind, name: str, speak: Speak) -> None:
        self._stanza = stanza
        self._name = name
        self._speak = speak

    @property
    def sender(self) -> str:
        return str(self._stanza["from"])

    @property
    def id(self) -> str:
        return str(self._stanza["id"])

    @property
    def language(self) -> str:
        return language_of(self._stanza)

    @property
    def payload(self) -> Element:
        payload = self._stanza.xml.find(self._name)
        assert payload is not None
        return payload

    @property
    def size(self) -> int:
        return memory_of(self._stanza.xml)

    def refuse(self, error: QuoaliseError) -> None:
        refuse(self._stanza, error, self._speak)


class Request(_Stanza[Iq]):
    """A request: an iq."""

    def accept(self, answer: Element | None = None) -> None:
        if answer is not None:
            check_size(answer)
        reply(self._stanza, answer)


class Push(_Stanza[Message]):
    """A push: a message, acknowledged where its sender asks for a receipt."""

    def accept(self, _answer: Element | None = None) -> None:
        message = self._stanza
        if message.xml.find(REQUEST) is None or not message["id"]:
            return
        # slixmpp takes three times as long to make a message by its fields.
        receipt = Element(message.xml.tag, {"to": str(message["from"]), "type": message["type"]})
        if isinstance(message.stream, BaseXMPP) and message.stream.is_component:
            receipt.set("from", str(message["to"]))
        SubElement(receipt, RECEIVED, {"id": message["id"]})
        SubElement(receipt, NO_ARCHIVE)
        Message(message.stream, receipt).send()  # type: ignore[no-untyped-call]


def language_of(stanza: StanzaBase) -> str:
    """Return the `xml:lang` of a stanza: its own, or that of its sender's stream."""
    return str(stanza["lang"] or DEFAULT_LANGUAGE)[:_MAX_LENGTH]


def check_size(payload: Element) -> None:
    """Raise `Malformed` where a payload is too large, also as slixmpp would write it.

    That has a space in each empty element, and longer quotes. It does so where it sends it again.
    """
    size = len(serialise(payload, None))
    for element in payload.iter():
        size += 1
        for words in (element.text, element.tail, *element.attrib.values()):
            if words and not words.isalnum():
                size += _LONGER * (words.count("'") + words.count('"'))
    if size > MAX_BYTES:
        raise Malformed("document", Problem.TOO_LARGE, found=size, most=MAX_BYTES)


def reply(iq: Iq, payload: Element | None = None) -> None:
    """Answer a request."""
    answer: Iq = iq.reply()  # type: ignore[no-untyped-call]
    if payload is not None:
        answer.xml.append(payload)
    answer.send()  # type: ignore[no-untyped-call]


def refuse(stanza: StanzaBase, error: QuoaliseError, speak: Speak) -> None:
    """Answer a request or a message with an error."""
    answer = stanza.reply()
    answer["id"] = stanza["id"]
    answer["type"] = "error"
    answer.xml.append(stanza_errors.write(error, speak(language_of(stanza))))
    answer.send()
