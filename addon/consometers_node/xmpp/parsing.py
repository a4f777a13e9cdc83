"""Reads a server's stream stanza by stanza: each at once, and at bounded cost.

Since 2.6, Expat puts off a long tag until twice as much has come, and with it all that comes after.
So each read is flushed, unless nothing can have ended in it.

**What costs too much.** A stanza beyond these limits is emptied as it comes: its name and its
addresses stay, and nothing else is kept. It is handed over like any other, so it counts as handled
(XEP-0198) and a resumed session does not begin with it again; an iq is refused, a message unheard.
"""

from collections import deque
from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from consometers_node.quoalise.markup import LANG, MAX_DEPTH

MAX_BYTES = 256 * 1024
"""Of a stanza, counted by reads: as many as Prosody takes of a client."""
MAX_ELEMENTS = 10_000
"""In a stanza. A record takes 28 bytes: `MAX_BYTES` of records hold fewer."""
MAX_CHILDREN = 64
"""Of the stanza itself. slixmpp looks through them for each handler, and again to answer."""
MAX_ADDRESS = 3071
"""Bytes of an address (RFC 7622 §3.1). No attribute that an emptied stanza keeps is longer."""
_KEPT = frozenset({"from", "to", "type", "id", LANG})
_READ = 16 * 1024

type Event = tuple[str, Element]


class Parser:
    """Reads one stream: the element that opens it, each stanza whole, and its end.

    It stands for the `XMLPullParser` with which slixmpp reads, one event for each element.
    """

    def __init__(self) -> None:
        self._events: deque[Event | ET.ParseError] = deque()
        self._stanzas = _Stanzas(self._events)
        self._parser = ET.XMLParser(target=self._stanzas)  # noqa: S314  # of our own server

    def feed(self, data: bytes) -> None:
        """Read the input. Stanzas and errors are among the events."""
        try:
            for at in range(0, len(data), _READ):
                part = data[at : at + _READ]
                self._stanzas.count(len(part))
                self._parser.feed(part)
                if b">" in part:
                    self._parser.flush()
        except ET.ParseError as error:
            self._events.append(error)

    def read_events(self) -> Iterator[Event]:
        """Return the events since the last call. Raises ParseError."""
        while self._events:
            event = self._events.popleft()
            if isinstance(event, ET.ParseError):
                raise event
            yield event


class _Stanzas:
    """Builds stanzas from the parser's events, and empties those that cost too much."""

    def __init__(self, events: deque[Event | ET.ParseError]) -> None:
        self._events = events
        self._depth = 0
        self._root = Element("")
        self._stanza = self._root
        self._builder: ET.TreeBuilder | None = None
        """The stanza being read; None for an emptied one, and between two."""
        self._bytes = self._elements = self._children = 0

    def count(self, size: int) -> None:
        """Count bytes before they are read."""
        self._bytes += size
        if self._builder is not None and self._bytes > MAX_BYTES:
            self._empty()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        depth = self._depth = self._depth + 1
        if self._builder is not None:
            self._elements += 1
            if depth == _CHILD:
                self._children += 1
            if (
                self._elements > MAX_ELEMENTS
                or self._children > MAX_CHILDREN
                or depth > MAX_DEPTH + 1
            ):
                self._empty()
            else:
                self._builder.start(name, attributes)
        elif depth == _STANZA:
            self._builder = ET.TreeBuilder()
            self._stanza = self._builder.start(name, attributes)
            self._elements = self._children = 0
            self.count(0)
        elif depth == _ROOT:
            self._root = Element(name, attributes)
            self._events.append(("start", self._root))
            self._bytes = 0

    def data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def end(self, name: str) -> None:
        depth = self._depth = self._depth - 1
        if self._builder is not None:
            self._builder.end(name)
        if depth == _ROOT:
            if self._builder is not None:
                self._stanza = self._builder.close()
            self._builder = None
            self._events += (("start", self._stanza), ("end", self._stanza))
            self._stanza = self._root
            self._bytes = 0
        elif not depth:
            self._events.append(("end", self._root))

    def _empty(self) -> None:
        attributes = {
            name: value
            for name, value in self._stanza.attrib.items()
            if name in _KEPT and len(value) <= MAX_ADDRESS
        }
        self._stanza = Element(self._stanza.tag, attributes)
        self._builder = None


_ROOT, _STANZA, _CHILD = 1, 2, 3
"""Depths."""
