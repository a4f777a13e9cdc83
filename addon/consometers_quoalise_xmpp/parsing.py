"""Reads a server's stream stanza by stanza: each at once, and at bounded cost.

Since 2.6, Expat puts off a long tag until twice as much has come, and with it all that comes after
(libexpat/libexpat#895). So each read is flushed, unless nothing can have ended in it. Upstream,
`XMLStream.data_received` of slixmpp 1.17.0 feeds an `XMLPullParser` and never calls the `flush`
that it has had since python/cpython#115623. Nor has that parser any limit: this module stays until
slixmpp has both. No report upstream is known.

**What costs too much.** A stanza beyond these limits is emptied as it comes: its name and its
addresses stay, and nothing else is kept. It is handed over like any other, so it counts as handled
(XEP-0198) and a resumed session does not begin with it again; an iq is refused, a message unheard.

Expat is not asked for namespaces: it would copy the whole of one for each name in it, and 30,000
names in one of 120 kB took a second. They are found here, once for each name. Nor does it ever
forget a name: so another parser goes on after some megabytes, between two stanzas.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from enum import StrEnum
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.parsers import expat

from consometers_quoalise.elements.markup import LANG, MAX_DEPTH, XML, tag

MAX_BYTES = 256 * 1024
"""Of a stanza, counted by reads: as many as Prosody takes of a client."""
MAX_ELEMENTS = 10_000
"""In a stanza. A record takes 28 bytes: `MAX_BYTES` of records hold fewer."""
MAX_CHILDREN = 64
"""Of the stanza itself. slixmpp looks through them for each handler, and again to answer."""
MAX_ATTRIBUTES = 64
"""Of an element, with its namespaces."""
MAX_NAME = 128
"""Characters of the name of an element or an attribute, with its namespace."""
MAX_NAMESPACES = 64
"""Distinct ones in a stanza, and prefixes at any place in it."""
MAX_ADDRESS = 3071
"""Bytes of an address (RFC 7622 §3.1). No attribute that an emptied stanza keeps is longer."""
MAX_NAMED = 4 * 1024**2
"""Bytes that one parser reads. What it holds of their names is at most some times as much."""
_KEPT = frozenset({"from", "to", "type", "id", LANG})
_READ = 16 * 1024


class Excess(StrEnum):
    """What a stanza has too much of, as a code for the log."""

    BYTES = "stanza-bytes"
    ELEMENTS = "stanza-elements"
    CHILDREN = "stanza-children"
    LEVELS = "stanza-levels"
    ATTRIBUTES = "stanza-attributes"
    NAME = "stanza-name"
    NAMESPACES = "stanza-namespaces"
    PREFIX = "stanza-prefix"


class Emptied(Element):
    """A stanza that had too much of something: its name and its addresses."""

    excess: Excess


type Event = tuple[str, Element]


class Parser:
    """Reads one stream: the element that opens it, each stanza whole, and its end.

    It stands for the `XMLPullParser` with which slixmpp reads, one event for each element.
    """

    def __init__(self, renamed: Mapping[str, str] | None = None) -> None:
        """Read a stream, in which some namespaces stand for others."""
        self._events: deque[Event | ET.ParseError] = deque()
        self._stanzas = _Stanzas(self._events, renamed or {})
        self._begin(b"")

    def feed(self, data: bytes) -> None:
        """Read the input. Stanzas and errors are among the events."""
        try:
            for at in range(0, len(data), _READ):
                part = data[at : at + _READ]
                self._stanzas.count(len(part))
                while part:
                    part = self._read(part)
        except expat.ExpatError, ET.ParseError:
            self._events.append(ET.ParseError())

    def read_events(self) -> Iterator[Event]:
        """Return the events since the last call. Raises ParseError."""
        while self._events:
            event = self._events.popleft()
            if isinstance(event, ET.ParseError):
                raise event
            yield event

    def _begin(self, opening: bytes) -> None:
        """Read with another parser, which takes up the stream after its opening."""
        self._expat = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.Parse(opening)
        self._fed = len(opening)
        parser.StartElementHandler = self._stanzas.start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._stanzas.data
        parser.StartDoctypeDeclHandler = _refuse

    def _read(self, part: bytes) -> bytes:
        """Read a part; return the rest of it, if another parser is to go on."""
        parser = self._expat
        try:
            parser.Parse(part)
            if b">" in part:
                parser.SetReparseDeferralEnabled(False)
                parser.Parse(b"")
                parser.SetReparseDeferralEnabled(True)
        except _StanzaEnded as ended:
            at = ended.at - self._fed
            # Of an element with an end tag, Expat says where that begins; else, where all ends.
            if at < 0 or part.startswith(b"</%b" % ended.name, at):
                at = part.index(b">", max(at, 0)) + 1
            self._begin(b"<%b>" % self._stanzas.root)
            return part[at:]
        self._fed += len(part)
        return b""

    def _end(self, name: str) -> None:
        if self._stanzas.end() and self._expat.CurrentByteIndex > MAX_NAMED:
            raise _StanzaEnded(self._expat.CurrentByteIndex, name.encode())


class _Stanzas:
    """Builds stanzas from the parser's events, and empties those that cost too much."""

    def __init__(self, events: deque[Event | ET.ParseError], renamed: Mapping[str, str]) -> None:
        self.root: bytes
        """The name of the element that opens the stream, as it was written."""
        self._events = events
        self._renamed = renamed
        self._depth = 0
        self._root = Element("")
        self._stanza = self._root
        self._builder: ET.TreeBuilder | None = None
        """The stanza being read; None for an emptied one, and between two."""
        self._scopes = [_Scope({"xml": XML})]
        """That of the stream, and of each element that is open in the stanza."""
        self._namespaces: set[str] = set()
        self._bytes = self._elements = self._children = 0

    def count(self, size: int) -> None:
        """Count bytes before they are read."""
        self._bytes += size
        if self._builder is not None and self._bytes > MAX_BYTES:
            self._empty(Excess.BYTES)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        depth = self._depth = self._depth + 1
        if self._builder is not None:
            self._elements += 1
            if depth == _CHILD:
                self._children += 1
            try:
                self._check(depth)
                self._builder.start(*self._resolved(name, attributes))
            except _TooMuch as too_much:
                self._empty(too_much.excess)
        elif depth == _STANZA:
            self._begin(name, attributes)
        elif depth == _ROOT:
            self._root = Element(*self._resolved(name, attributes))
            del self._scopes[0]
            self.root = name.encode()
            self._events.append(("start", self._root))
            self._bytes = 0

    def data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def end(self) -> bool:
        """End an element; return whether it was a stanza."""
        depth = self._depth = self._depth - 1
        if self._builder is not None:
            self._builder.end("")
            self._scopes.pop()
        if depth == _ROOT:
            if self._builder is not None:
                self._stanza = self._builder.close()
            self._builder = None
            self._events += (("start", self._stanza), ("end", self._stanza))
            self._stanza = self._root
            self._bytes = 0
        elif not depth:
            self._events.append(("end", self._root))
        return depth == _ROOT

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        """Begin a stanza."""
        self._elements = self._children = 0
        namespaces = self._scopes[0].namespaces
        self._namespaces = set(namespaces.values())
        # What it found in the stanza before is forgotten.
        self._scopes[0] = _Scope(namespaces)
        try:
            resolved = self._resolved(name, attributes)
        except _TooMuch as too_much:
            brief = tag(self._scopes[0].default, name[:MAX_NAME])
            self._stanza = Element(brief, attributes | {LANG: attributes.get("xml:lang", "")})
            self._empty(too_much.excess)
            return
        self._builder = ET.TreeBuilder()
        self._stanza = self._builder.start(*resolved)
        self.count(0)

    def _check(self, depth: int) -> None:
        if self._elements > MAX_ELEMENTS:
            raise _TooMuch(Excess.ELEMENTS)
        if self._children > MAX_CHILDREN:
            raise _TooMuch(Excess.CHILDREN)
        if depth > MAX_DEPTH + 1:
            raise _TooMuch(Excess.LEVELS)

    def _resolved(self, name: str, written: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Return a name and attributes with their namespaces. Raises `_TooMuch`."""
        if len(written) > MAX_ATTRIBUTES:
            raise _TooMuch(Excess.ATTRIBUTES)
        scope = self._scopes[-1]
        attributes = written
        for key in written:
            if ":" in key or key == "xmlns" or len(key) > MAX_NAME:
                declared, attributes = _apart(written)
                scope = self._declare(scope, declared) if declared else scope
                attributes = {scope.attribute(key): value for key, value in attributes.items()}
                break
        full = scope[name]
        self._scopes.append(scope)
        return full, attributes

    def _declare(self, scope: _Scope, declared: Mapping[str, str]) -> _Scope:
        if any(len(namespace) > MAX_NAME for namespace in declared.values()):
            raise _TooMuch(Excess.NAME)
        if self._renamed:
            declared = {
                prefix: self._renamed.get(namespace, namespace)
                for prefix, namespace in declared.items()
            }
        self._namespaces |= set(declared.values())
        namespaces = {**scope.namespaces, **declared, "xml": XML}
        if max(len(self._namespaces), len(namespaces)) > MAX_NAMESPACES:
            raise _TooMuch(Excess.NAMESPACES)
        return _Scope(namespaces)

    def _empty(self, excess: Excess) -> None:
        attributes = {
            name: value
            for name, value in self._stanza.attrib.items()
            if name in _KEPT and 0 < len(value) <= MAX_ADDRESS
        }
        self._stanza = emptied = Emptied(self._stanza.tag, attributes)
        emptied.excess = excess
        self._builder = None
        del self._scopes[1:]


class _Scope(dict[str, str]):
    """The namespaces at a place by prefix; its items are the full names of elements there."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        super().__init__()
        self.namespaces = namespaces
        self.default = namespaces.get("", "")

    def __missing__(self, name: str) -> str:
        """Find the full name of an element. Raises `_TooMuch`."""
        full = self[name] = self._full(name, self.default)
        return full

    def attribute(self, name: str) -> str:
        """Return the full name of an attribute. Raises `_TooMuch`."""
        return self._full(name, "")

    def _full(self, name: str, namespace: str) -> str:
        prefix, _, local = name.rpartition(":")
        if prefix:
            if not (declared := self.namespaces.get(prefix)):
                raise _TooMuch(Excess.PREFIX)
            namespace = declared
        if len(namespace) + len(local) > MAX_NAME:
            raise _TooMuch(Excess.NAME)
        return tag(namespace, local)


def _apart(written: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the namespaces that an element declares, by prefix, and its other attributes."""
    declared: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, value in written.items():
        if key == "xmlns" or key.startswith("xmlns:"):
            declared[key[len("xmlns:") :]] = value
        else:
            others[key] = value
    return declared, others


class _TooMuch(ET.ParseError):
    """Of a stanza, which is emptied, or of the element that opens the stream: then an error."""

    def __init__(self, excess: Excess) -> None:
        super().__init__()
        self.excess = excess


class _StanzaEnded(Exception):
    """Ends the work of a parser. `at` is a byte of all that it read, `name` the stanza's."""

    def __init__(self, at: int, name: bytes) -> None:
        super().__init__()
        self.at = at
        self.name = name


def _refuse(*_declared: object) -> None:
    """Refuse a document type: entities that it declares would be expanded."""
    raise ET.ParseError


_ROOT, _STANZA, _CHILD = 1, 2, 3
"""Depths."""
