"""Answers to requests and messages: a result, a receipt (XEP-0184), or an error; their counters.

Between nodes a receipt means more than delivery: what was pushed is committed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from slixmpp.stanza import Iq
from slixmpp.xmlstream import tostring
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import (
    DEFAULT_LANGUAGE,
    Malformed,
    Problem,
    QuoaliseError,
    Words,
    stanza_errors,
)
from consometers_quoalise.markup import MAX_BYTES, tag

RECEIPTS = "urn:xmpp:receipts"
REQUEST = tag(RECEIPTS, "request")
RECEIVED = tag(RECEIPTS, "received")
NO_ARCHIVE = "{urn:xmpp:hints}no-permanent-store"
"""Servers keep what stands beside it no longer than it takes to deliver it (XEP-0334)."""

type Speak = Callable[[str], Words]
"""Returns the words for a reader, by language tag."""

_MAX_LENGTH = 35
"""Characters of a language tag (RFC 5646 §4.4.1)."""


@dataclass(slots=True)
class Traffic:
    """Peers' messages since the node started, by outcome: how often, never who or what."""

    acknowledged: int = 0
    """Messages whose records were stored."""
    refused: int = 0
    unkept: int = 0
    """Neither stored nor refused: the peer sends them again."""
    dropped: int = 0
    """There was no room for them: the peer sends them again."""
    answered: int = 0
    """Requests that were answered."""
    turned_down: int = 0
    failed: int = 0
    """Requests that this node failed to answer."""


def language_of(stanza: StanzaBase) -> str:
    """Return the `xml:lang` of a stanza: its own, or that of its sender's stream."""
    return str(stanza["lang"] or DEFAULT_LANGUAGE)[:_MAX_LENGTH]


def check_size(payload: Element) -> None:
    """Raise `Malformed` where a payload is too large as slixmpp writes it: with longer quotes."""
    size = len(tostring(payload).encode())
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
