"""The exact bounds of what a peer may send: the last that is read, the first that is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from xml.etree.ElementTree import Element, SubElement

import pytest

from consometers_node.i18n.protocol import sentence
from consometers_quoalise import Malformed, Problem, pseudonym
from consometers_quoalise.bounds import clip
from consometers_quoalise.elements.markup import parse, serialise
from consometers_quoalise.elements.reading import Reader, bounded, whole_number
from consometers_quoalise.iso8601 import Duration, day, duration, moment
from consometers_quoalise.records import data
from consometers_quoalise.records.identifier import identifier
from packages.quoalise.tests.samples import NO_DEVICE, POWER, message

BASE = 1_583_016_600
FIRST = f'<senml bn="{POWER}" bt="{BASE}" t="0" v="100"/>'


def refused(read: Callable[[], object]) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read()
    return caught.value


def document(size: int) -> bytes:
    """Return one element whose document has so many bytes."""
    return b'<a b="%s"/>' % (b"x" * (size - 9))


def nested(levels: int) -> bytes:
    """Return elements of which the innermost has no end tag."""
    return b"<a>" * (levels - 1) + b"<a/>" + b"</a>" * (levels - 1)


def records(*numbers: tuple[str, str]) -> bytes:
    """Return a message of a name and these times and values."""
    return message("".join(f'<senml bn="a" t="{t}" v="{v}"/>' for t, v in numbers))


@pytest.mark.parametrize(
    ("within", "beyond", "problem"),
    [
        (
            partial(parse, document(122_880)),
            partial(parse, document(122_881)),
            Problem.TOO_LARGE,
        ),
        (partial(parse, nested(16)), partial(parse, nested(17)), Problem.TOO_DEEP),
        (
            partial(parse, b"<a>" * 16 + b"</a>" * 16),
            partial(parse, b"<a>" * 17 + b"</a>" * 17),
            Problem.TOO_DEEP,
        ),
        (
            partial(bounded, 300 * "a", "title", "title"),
            partial(bounded, 301 * "a", "title", "title"),
            Problem.TOO_LONG,
        ),
        (
            partial(bounded, 255 * "a", "unknown", "unknown"),
            partial(bounded, 256 * "a", "unknown", "unknown"),
            Problem.TOO_LONG,
        ),
        (
            partial(whole_number, "9" * 12, "size"),
            partial(whole_number, "9" * 13, "size"),
            Problem.NOT_A_COUNT,
        ),
        (
            partial(whole_number, "2", "minimum", 2),
            partial(whole_number, "1", "minimum", 2),
            Problem.NOT_A_COUNT,
        ),
        (
            partial(identifier, f"urn:dev:os:60060-{'a' * 238}"),
            partial(identifier, f"urn:dev:os:60060-{'a' * 239}"),
            Problem.TOO_LONG,
        ),
        (
            partial(duration, f"P{'9' * 28}D"),
            partial(duration, f"P{'9' * 29}D"),
            Problem.NOT_A_DURATION,
        ),
        (partial(day, "1978-07-05"), partial(day, "1978-07-04"), Problem.NOT_A_DAY),
        (partial(day, "2099-12-31"), partial(day, "2100-01-01"), Problem.NOT_A_DAY),
        (
            partial(moment, "1978-07-05T00:00Z"),
            partial(moment, "1978-07-04T23:59:59Z"),
            Problem.OUT_OF_TIME,
        ),
        (
            partial(moment, "2099-12-31T23:59:59Z"),
            partial(moment, "2100-01-01T00:00Z"),
            Problem.OUT_OF_TIME,
        ),
        (
            partial(data.decode, records(("268435456", "1"))),
            partial(data.decode, records(("268435455", "1"))),
            Problem.RELATIVE_TIME,
        ),
        (
            partial(data.decode, records(("4102444799", "1"))),
            partial(data.decode, records(("4102444800", "1"))),
            Problem.TOO_LATE,
        ),
        (
            partial(data.decode, records((f"{BASE}", f"{2**53}"), (f"{BASE + 1}", f"-{2**53}"))),
            partial(data.decode, records((f"{BASE}", f"{2**53 + 1}"))),
            Problem.TOO_BIG,
        ),
        (
            partial(data.decode, message(f'<senml bn="a" bu="{"W" * 32}" bt="{BASE}" v="1"/>')),
            partial(data.decode, message(f'<senml bn="a" bu="{"W" * 33}" bt="{BASE}" v="1"/>')),
            Problem.TOO_LONG,
        ),
        (
            partial(data.decode, message(f'<senml bn="{"a" * 255}" bt="{BASE}" v="1"/>')),
            partial(data.decode, message(f'<senml bn="{"a" * 256}" bt="{BASE}" v="1"/>')),
            Problem.NAME_CHARACTERS,
        ),
        (
            partial(data.decode, message(FIRST + 1_999 * '<senml t="1" v="1"/>')),
            partial(data.decode, message(FIRST + 2_000 * '<senml t="1" v="1"/>')),
            Problem.TOO_MANY_RECORDS,
        ),
        (
            partial(pseudonym, bytes(32), "a@example.org", NO_DEVICE),
            partial(pseudonym, bytes(31), "a@example.org", NO_DEVICE),
            Problem.SHORT_SECRET,
        ),
    ],
)
def test_the_last_within_a_bound_is_read_and_the_first_beyond_is_refused(
    within: Callable[[], object], beyond: Callable[[], object], problem: Problem
) -> None:
    within()
    assert refused(beyond).code is problem


def test_as_many_elements_are_read_as_the_protocol_s_page_says() -> None:
    parent = Element("data-needs")
    for _ in range(50):
        SubElement(parent, "data-need")
    reader = Reader(parent, "data-needs")
    assert [child.place for child in reader.each("data-need")][::49] == [
        "data-needs/data-need[1]",
        "data-needs/data-need[50]",
    ]
    SubElement(parent, "data-need")
    error = refused(lambda: list(reader.each("data-need")))
    assert error.code is Problem.TOO_MANY_ELEMENTS
    assert "there are 51 of <data-need>: send at most 50" in sentence(error).say("en")


def test_what_is_written_has_a_bound_too() -> None:
    element = parse(document(122_880))
    assert len(serialise(element)) == 122_880
    element.set("b", element.attrib["b"] + "x")
    assert refused(lambda: serialise(element)).code is Problem.TOO_LARGE
    assert len(serialise(element, None)) == 122_881
    assert refused(lambda: serialise(element, 100)).code is Problem.TOO_LARGE


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (partial(parse, document(122_881)), "122881 bytes are too many: send at most 122880"),
        (partial(parse, nested(17)), "nested too deeply: at most 16 levels"),
        (partial(parse, b"<a></b>"), "this is not XML (mismatched tag)"),
        (
            partial(bounded, 301 * "a", "title", "title"),
            "301 characters are too many: send at most 300",
        ),
        (partial(whole_number, "1", "minimum", 2), "“1” is not a whole number from 2 on"),
        (
            partial(identifier, f"urn:dev:os:60060-{'a' * 239}"),
            "256 characters are too many: send at most 255",
        ),
        (
            partial(pseudonym, b"secret", "a@example.org", NO_DEVICE),
            "a secret of 6 bytes is too short: use at least 32",
        ),
        (
            partial(data.decode, message(f'<senml bn="a" bver="11" bt="{BASE}" v="1"/>')),
            "SenML version “11” is not supported: send version 10 or lower",
        ),
        (
            partial(data.decode, message(FIRST + '<record xmlns="urn:quoalise:0"/>')),
            "Unexpected <record xmlns='urn:quoalise:0'>: send <senml xmlns='urn:ietf",
        ),
        (
            partial(data.decode, b"<message/>"),
            "Unexpected <message>: send <quoalise xmlns='urn:quoalise:0'>",
        ),
        (
            partial(data.decode, message(FIRST + 2_000 * '<senml t="1" v="1"/>')),
            "2001 records are too many: at most 2000",
        ),
        (
            partial(data.decode, records((f"{BASE}", f"{2**53 + 1}"))),
            "9007199254740993 is too big: at most 9007199254740992 either side of zero",
        ),
        (partial(data.decode, records(("268435455", "1"))), "time 268435455 is relative to now"),
        (partial(data.decode, records(("4102444800", "1"))), "time 4102444800 is after the year"),
    ],
)
def test_a_refusal_says_what_was_found_and_what_is_read(
    read: Callable[[], object], words: str
) -> None:
    assert words in sentence(refused(read)).say("en")


def test_words_of_an_error_are_cut_where_a_refusal_would_help_nobody() -> None:
    assert clip("code", 100 * "c") == 100 * "c"
    assert clip("code", 101 * "c") == 99 * "c" + "…"
    assert clip("unknown", 256 * "c") == 254 * "c" + "…"


def test_each_part_of_a_duration_counts() -> None:
    assert duration("P1W2D") == Duration(days=9)
    assert duration("PT1H1M1S") == Duration(seconds=3_661)
    assert day("2026-11-29") == date(2026, 11, 29)
    assert moment("2026-11-29T10:00Z") == datetime(2026, 11, 29, 10, tzinfo=UTC)
