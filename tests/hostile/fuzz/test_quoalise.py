"""What peers send, as the protocol reads it: a value, or an error of its room, and nothing else."""

from collections.abc import Callable
import tomllib
from typing import Any
from xml.etree.ElementTree import Element

from hypothesis import strategies as st

from consometers_node.i18n.protocol import sentence
from consometers_node.permission import DataNeed
from consometers_node.wire import Unsayable, read_need_file, read_need_mapping, write_need_file
from consometers_quoalise import Data, Malformed, answers, iso8601, requests, stanza_errors
from consometers_quoalise.elements.markup import parse, serialise
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.records import data, identifier
from consometers_quoalise.records.senml import SENML
from packages.quoalise.tests.samples import EXAMPLE, REQUEST
from testing.hostile.documents import DATA_ELEMENTS, DOCUMENTS, NASTY, bent, damaged
from testing.hostile.exploring import FULL_S, check_words, explore

READERS: dict[Callable[[Element], Any], Callable[[Any], Element] | None] = {
    data.read: data.write,
    requests.read: requests.write,
    answers.read_listed: answers.listed,
    permissions_xml.read_data_needs: permissions_xml.write_data_needs,
    permissions_xml.read_permission: permissions_xml.write_permission,
    permissions_xml.read_receipt: permissions_xml.write_receipt,
    lambda element: answers.payload(element, data.QUOALISE): None,
    lambda element: answers.payload(element, permissions_xml.RECEIPT): None,
}
"""What reads an element, and what writes it."""


def read_with_each(document: Element) -> None:
    """Read it in every way. Accepted input is written, and read the same."""
    for reader, writer in READERS.items():
        try:
            value = reader(document)
        except Malformed as error:
            check_words(sentence(error))
            continue
        if writer is not None and not isinstance(value, requests.ToFill | requests.Cancelled):
            again = reader(parse(serialise(writer(value), None)))
            assert in_any_order(again) == in_any_order(value)


def in_any_order(value: object) -> object:
    """Leave out in which order names come: what has no unit is written first."""
    if not isinstance(value, Data):
        return value
    return value.metadata, {
        (records.name, records.unit): records.values for records in value.records
    }


def test_the_full_run_takes_ten_minutes() -> None:
    assert sum(FULL_S.values()) == 600


def test_bytes_are_read_or_refused() -> None:
    def check(document: bytes) -> None:
        try:
            element = parse(document)
        except Malformed:
            return
        read_with_each(element)

    documents = [EXAMPLE.encode(), REQUEST.encode(), b"<a/>"]
    explore(
        "bytes", 40, check, st.binary(max_size=80) | st.sampled_from(documents).flatmap(damaged)
    )


def test_altered_documents_are_read_or_refused() -> None:
    def check(document: Element) -> None:
        read_with_each(document)
        assert sentence(stanza_errors.read(document)).say("fr")

    explore("elements", 60, check, bent(DOCUMENTS))


LABELS = (
    *["n", "u", "v", "s", "t", "bn", "bt", "bu", "bv", "bs", "bver", "vs", "vb", "vd", "ut", "x_"],
    "{urn:x}y",
)


def test_records_of_any_fields_are_read_or_refused() -> None:
    labels = st.sampled_from(LABELS)

    def check(document: Element, fields: list[dict[str, str]], times: int) -> None:
        for sensml in document.iter("{urn:ietf:params:xml:ns:senml}sensml"):
            sensml.extend(Element(SENML, labelled) for labelled in fields * times)
        read_with_each(document)

    explore(
        "records",
        40,
        check,
        bent(DATA_ELEMENTS, 1),
        st.lists(st.dictionaries(labels, NASTY, max_size=5), max_size=6),
        st.sampled_from([1, 1, 1, 500]),
    )


def check_text[T](text: str, reader: Callable[[str], T], shown: Callable[[T], str]) -> None:
    try:
        value = reader(text)
    except Malformed as error:
        check_words(sentence(error))
    else:
        assert reader(shown(value)) == value


def test_identifiers_and_times_are_read_or_refused() -> None:
    def check(text: str) -> None:
        check_text(text, identifier.identifier, str)
        check_text(text, identifier.device, str)
        check_text(text, iso8601.moment, iso8601.shown)
        check_text(text, iso8601.duration, str)

    shapes = st.from_regex(
        r"(urn:dev:)?(prm|mac|org|os|ops|ow|x):[0-9a-f.:-]{0,40}(_[a-z/_.]{0,30})?"
        r"|P[0-9YMWDTHS]{0,30}|\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?([+-]\d\d:?\d\d|Z)",
        fullmatch=True,
    )
    explore("texts", 80, check, NASTY | shapes)


NEED_FILE = """\
id = "roof"
version = 1
controller = "Coopérative d’exemple"
contact = "donnees@example.org"
policy = "https://example.org/donnees"
interval = "PT1H"
history = "P1Y"
duration = "P2Y"
retention = "P6M"
series = [{ direction = "consumption", quantity = "power" }]
[title]
fr = "Le prochain toit"
[purpose]
fr = "Dimensionner le prochain toit de panneaux."
"""
KEYS = st.sampled_from([*tomllib.loads(NEED_FILE), "identification", "reading", "", "{a}b", "é"])
TOML_VALUES = st.recursive(
    NASTY | st.integers() | st.booleans() | st.floats() | st.none(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(KEYS | NASTY, values, max_size=4),
    max_leaves=8,
)


def test_need_files_are_read_or_refused_with_a_message() -> None:
    def check(document: bytes, changes: dict[str, object]) -> None:
        readers: tuple[Callable[[], DataNeed], ...] = (
            lambda: read_need_file(document),
            lambda: read_need_mapping(tomllib.loads(NEED_FILE) | changes),
        )
        for read in readers:
            try:
                need = read()
            except Unsayable as error:
                check_words(sentence(error))
            else:
                assert read_need_file(write_need_file(need).encode()) == need

    files = st.sampled_from([NEED_FILE.encode(), b"[title", b"id = 1979-05-27T07:32:00Z\n"])
    changes = st.dictionaries(KEYS, TOML_VALUES, max_size=2)
    regressions = [(b"", {"series": [{"": None}]})]
    explore(
        "need files", 60, check, files | files.flatmap(damaged), changes, regressions=regressions
    )
