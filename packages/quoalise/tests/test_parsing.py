"""A stream is read stanza by stanza, as it comes; what costs too much is emptied, and counts."""

from collections.abc import Iterator
import tracemalloc
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from hypothesis import given, strategies as st
import pytest

from consometers_quoalise.elements.markup import LANG, MAX_DEPTH
from consometers_quoalise_xmpp import parsing
from consometers_quoalise_xmpp.parsing import (
    MAX_BYTES,
    MAX_CHILDREN,
    MAX_ELEMENTS,
    Emptied,
    Excess,
    Parser,
)

HEAD = b"<stream:stream xmlns:stream='urn:streams' xmlns='jabber:client' from='one.test'>"
MESSAGE = "{jabber:client}message"


def stanzas(parser: Parser) -> Iterator[Element]:
    """Return what has come whole since."""
    return (element for event, element in parser.read_events() if event == "end")


def opened() -> Parser:
    parser = Parser()
    parser.feed(HEAD)
    (event,) = parser.read_events()
    assert event[0] == "start"
    assert event[1].attrib == {"from": "one.test"}
    return parser


def read(stanza: str) -> Element:
    parser = opened()
    parser.feed(stanza.encode())
    (element,) = stanzas(parser)
    return element


def levels(count: int) -> str:
    return f"<message>{'<a>' * (count - 1)}{'</a>' * (count - 1)}</message>"


def test_a_stanza_is_complete_with_its_last_byte() -> None:
    parser = opened()
    long = f"<message a='{'x' * 90_000}'/>".encode()
    for at in range(0, len(long), 1_400):
        assert not list(stanzas(parser))
        parser.feed(long[at : at + 1_400])
    (stanza,) = stanzas(parser)
    assert len(stanza.attrib["a"]) == 90_000
    parser.feed(b"<message/>")
    assert [stanza.tag for stanza in stanzas(parser)] == [MESSAGE]


@given(st.integers(1, 60))
def test_chunks_of_any_size_are_read_as_by_the_standard_library(size: int) -> None:
    body = (
        "<message xml:lang='fr' id='1'>a<b c='&lt;é'>d</b>e<!-- f --><g xmlns='urn:g'/></message>"
        "\n<iq type='set'/> <presence><x xmlns:y='urn:y' y:z='1'>œ</x></presence>"
    ).encode()
    parser = opened()
    elements: list[Element] = []
    for at in range(0, len(body), size):
        parser.feed(body[at : at + size])
        elements += stanzas(parser)
    whole = ET.fromstring(HEAD + body + b"</stream:stream>")
    for stanza in whole:
        stanza.tail = None
    assert list(map(ET.tostring, elements)) == list(map(ET.tostring, whole))


def test_the_parser_reports_the_stream_s_end_and_broken_xml() -> None:
    parser = opened()
    parser.feed(b"<message/></stream:stream>")
    assert [stanza.tag for stanza in stanzas(parser)] == [MESSAGE, "{urn:streams}stream"]
    parser = opened()
    parser.feed(b"<message/></nothing>")
    events = parser.read_events()
    assert next(events)[1].tag == next(events)[1].tag == MESSAGE
    with pytest.raises(ET.ParseError):
        next(events)


@pytest.mark.parametrize(
    "within",
    [
        f"<message><a>{'<b/>' * (MAX_ELEMENTS - 1)}</a></message>",
        f"<message>{'<a/>' * MAX_CHILDREN}</message>",
        f"<message a='{'x' * (MAX_BYTES - 100)}'><a/></message>",
        levels(MAX_DEPTH),
    ],
    ids=["elements", "children", "attribute", "levels"],
)
def test_stanzas_within_the_limits_are_complete(within: str) -> None:
    assert ET.tostring(read(within)) == ET.tostring(
        ET.fromstring(within.replace("<message", "<message xmlns='jabber:client'", 1))
    )


@pytest.mark.parametrize(
    ("beyond", "excess"),
    [
        (f"<message id='1' b='2'><a>{'<b/>' * MAX_ELEMENTS}</a></message>", Excess.ELEMENTS),
        (f"<message id='1' b='2'>{'<a/>' * (MAX_CHILDREN + 1)}</message>", Excess.CHILDREN),
        (f"<message id='1' b='2' a='{'x' * MAX_BYTES}'><a/></message>", Excess.BYTES),
        (f"<message id='1' b='2'>{'x' * (MAX_BYTES + 16_384)}</message>", Excess.BYTES),
        (levels(MAX_DEPTH + 1).replace("<message", "<message id='1' b='2'"), Excess.LEVELS),
    ],
    ids=["elements", "children", "attribute", "text", "levels"],
)
def test_an_oversized_stanza_is_emptied_and_the_next_is_complete(
    beyond: str, excess: Excess
) -> None:
    parser = opened()
    parser.feed(f"{beyond}<message><a/></message>".encode())
    emptied, following = stanzas(parser)
    assert emptied.tag == following.tag == MESSAGE
    assert isinstance(emptied, Emptied)
    assert emptied.excess is excess
    assert emptied.attrib == {"id": "1"}
    assert not list(emptied)
    assert not emptied.text
    assert len(following) == 1


def test_a_stanza_may_have_256_kib_and_no_byte_more() -> None:
    """Each of them, whatever came before it."""

    def message(size: int) -> bytes:
        return b"<message a='%s'/>" % (b"x" * (size - 15))

    parser = opened()
    for size in (256 * 1024, 256 * 1024, 256 * 1024 + 1, 256 * 1024):
        parser.feed(message(size))
        (stanza,) = stanzas(parser)
        assert bool(stanza.attrib) is (size == 256 * 1024)


def test_a_stanza_has_two_events_as_slixmpp_counts_levels() -> None:
    parser = opened()
    parser.feed(b"<message><a/></message><iq/></stream:stream>")
    assert [event for event, _ in parser.read_events()] == ["start", "end", "start", "end", "end"]


def test_an_emptied_stanza_keeps_addresses_of_any_legal_length() -> None:
    beyond = f"<message from='{3071 * 'x'}' id='{3072 * 'x'}'>{'<a/>' * (MAX_CHILDREN + 1)}"
    assert read(f"{beyond}</message>").attrib == {"from": 3071 * "x"}


def test_an_emptied_stanza_drops_overlong_addresses() -> None:
    long = "x" * MAX_BYTES
    assert read(f"<message to='a@b.test' from='{long}' id='{long}'><a/></message>").attrib == {
        "to": "a@b.test"
    }


@pytest.mark.parametrize(
    ("within", "beyond", "excess"),
    [
        (f"<a{'b' * 114}/>", f"<a{'b' * 115}/>", Excess.NAME),
        (f"<a xmlns='{'n' * 127}'/>", f"<a xmlns='{'n' * 128}'/>", Excess.NAME),
        (f"<a xmlns:p='{'n' * 128}'/>", f"<a xmlns:p='{'n' * 129}'/>", Excess.NAME),
        (f"<a {'b' * 128}=''/>", f"<a {'b' * 129}=''/>", Excess.NAME),
        (
            f"<a xmlns:p='{'n' * 100}' p:{'b' * 28}=''/>",
            f"<a xmlns:p='{'n' * 100}' p:{'b' * 29}=''/>",
            Excess.NAME,
        ),
        (
            f"<a {' '.join(f'b{n}=""' for n in range(64))}/>",
            f"<a {' '.join(f'b{n}=""' for n in range(65))}/>",
            Excess.ATTRIBUTES,
        ),
        (
            "".join(f"<a xmlns='urn:{n}'/>" for n in range(61)),
            "".join(f"<a xmlns='urn:{n}'/>" for n in range(62)),
            Excess.NAMESPACES,
        ),
        ("<a xmlns:p='urn:p'><p:b/></a>", "<a xmlns:p='urn:p'/><p:b/>", Excess.PREFIX),
    ],
    ids=[
        "element",
        "namespace of an element",
        "namespace",
        "attribute",
        "namespace of an attribute",
        "attributes",
        "namespaces",
        "prefix",
    ],
)
def test_names_attributes_and_namespaces_are_bounded(
    within: str, beyond: str, excess: Excess
) -> None:
    whole = read(f"<message id='1'><z>{within}</z></message>")
    assert len(whole[0])
    emptied = read(f"<message id='1'><z>{beyond}</z></message>")
    assert isinstance(emptied, Emptied)
    assert emptied.excess is excess
    assert emptied.attrib == {"id": "1"}
    assert not len(emptied)


@pytest.mark.parametrize(
    ("beyond", "excess"),
    [
        (f"<message id='1' xml:lang='fr' {'b' * 129}=''/>", Excess.NAME),
        (f"<message id='1' xml:lang='fr' xmlns:p='{'n' * 129}'/>", Excess.NAME),
        ("<message id='1' xml:lang='fr' p:b=''/>", Excess.PREFIX),
        (
            f"<message id='1' xml:lang='fr'{''.join(f' b{n}=""' for n in range(63))}/>",
            Excess.ATTRIBUTES,
        ),
    ],
)
def test_a_stanza_whose_own_tag_holds_too_much_keeps_its_addresses(
    beyond: str, excess: Excess
) -> None:
    emptied = read(beyond)
    assert isinstance(emptied, Emptied)
    assert (emptied.tag, emptied.excess) == (MESSAGE, excess)
    assert emptied.attrib == {"id": "1", LANG: "fr"}


def test_a_stanza_with_an_overlong_name_is_handed_over() -> None:
    emptied = read(f"<{'m' * 200_000} id='1'/>")
    assert emptied.tag == f"{{jabber:client}}{'m' * 128}"
    assert emptied.attrib == {"id": "1"}


def test_a_stream_that_opens_with_too_much_is_an_error() -> None:
    parser = Parser()
    parser.feed(f"<stream:stream xmlns:stream='{'n' * 129}'>".encode())
    with pytest.raises(ET.ParseError):
        next(parser.read_events())


def test_a_document_type_is_an_error() -> None:
    parser = Parser()
    parser.feed(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;")
    with pytest.raises(ET.ParseError):
        next(parser.read_events())


@pytest.mark.parametrize("size", [37, 16_384])
def test_parsers_take_over_from_each_other_between_stanzas(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the reads end, and however stanzas do."""
    monkeypatch.setattr(parsing, "MAX_NAMED", 100)
    body = (
        "<message><a/></message><message a='/>'/><iq><a xmlns='urn:a'>é</a></iq   > \n<iq/>"
        "<message>  <b/></message><message a='>'></message>"
        f"<message a='{120 * 'x'}'><a/><b/></message>"
    ) * 20
    parser = opened()
    elements: list[Element] = []
    data = f"{body}<message/></stream:stream>".encode()
    for at in range(0, len(data), size):
        parser.feed(data[at : at + size])
        elements += stanzas(parser)
    whole = ET.fromstring(HEAD + body.encode() + b"<message/></stream:stream>")
    for stanza in whole:
        stanza.tail = None
    *read_whole, end = elements
    assert list(map(ET.tostring, read_whole)) == list(map(ET.tostring, whole))
    assert end.tag == "{urn:streams}stream"


def test_a_parser_reads_as_much_as_it_may_and_no_byte_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stanza = b"<message></message>"
    monkeypatch.setattr(parsing, "MAX_NAMED", len(HEAD + b"<message>"))
    parser = opened()
    first = parser._expat
    parser.feed(stanza)
    assert parser._expat is first
    parser.feed(stanza)
    assert parser._expat is not first


def test_a_long_tag_is_put_off_again_after_what_is_read_at_once() -> None:
    """Or each of its pieces is read from the beginning."""
    parser = opened()
    assert parser._expat.GetReparseDeferralEnabled()


def test_a_stream_without_a_namespace_has_stanzas_without_one() -> None:
    parser = Parser()
    parser.feed(b"<s:stream xmlns:s='urn:streams'><message/>")
    parser.feed(f"<message {'b' * 129}=''/>".encode())
    whole, emptied = stanzas(parser)
    assert (whole.tag, type(whole)) == ("message", Element)
    assert (emptied.tag, type(emptied)) == ("message", Emptied)


def test_the_prefix_xml_needs_no_declaration_and_has_no_other() -> None:
    parser = Parser()
    parser.feed(b"<stream xml:lang='fr'><message xmlns:xml='urn:other' xml:lang='en'/>")
    (_, stream), _, (_, message) = parser.read_events()
    assert (stream.attrib, message.attrib) == ({LANG: "fr"}, {LANG: "en"})


def test_names_are_found_again_only_where_namespaces_are_declared() -> None:
    parser = opened()
    parser.feed(b"<message><a xml:lang='fr'><b xmlns='urn:b'>")
    stream, message, child, inner = parser._stanzas._scopes
    assert stream is message is child is not inner


def test_lines_of_text_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stanza of nothing else would be 260,000 pieces."""
    pieces: list[str] = []
    monkeypatch.setattr(parsing._Stanzas, "data", lambda _, text: pieces.append(text))
    read(f"<message>{9_000 * '\n'}</message>")
    assert "".join(pieces) == 9_000 * "\n"
    assert len(pieces) < 10


def test_namespaces_of_an_emptied_stanza_end_with_it() -> None:
    parser = opened()
    beyond = f"<message xmlns='urn:other'>{'<a/>' * (MAX_CHILDREN + 1)}</message>"
    parser.feed(f"{beyond}<message/>".encode())
    emptied, following = stanzas(parser)
    assert (emptied.tag, following.tag) == ("{urn:other}message", MESSAGE)


def test_names_of_earlier_stanzas_are_forgotten() -> None:
    """Expat keeps each for as long as it reads."""

    def say(number: int) -> None:
        names = "".join(f"<n{number}x{n} a{number}x{n}=''/>" for n in range(8_000))
        parser.feed(f"<message>{names}</message>".encode())
        assert len(list(stanzas(parser))) == 1

    parser = opened()
    tracemalloc.start()
    try:
        for number in range(30):
            say(number)
            if number == 15:
                earlier, _ = tracemalloc.get_traced_memory()
        later, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert later < earlier + 10 * 1024**2
