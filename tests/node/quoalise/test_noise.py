"""Whatever is sent: a value, or an error of this room, and nothing else."""

from xml.etree.ElementTree import Element

from hypothesis import event, given, settings, strategies as st

from consometers_node.quoalise import (
    Malformed,
    answers,
    data,
    federation_xml,
    identifier,
    iso8601,
    requests,
    stanza_errors,
)
from consometers_node.quoalise.commands import Node
from consometers_node.quoalise.federation import NAMESPACE
from consometers_node.quoalise.forms import FORM
from consometers_node.quoalise.markup import parse
from consometers_node.quoalise.senml import SENML, SENSML

from .samples import EXAMPLE, PERMISSION, REQUEST

READERS = (
    data.read,
    requests.read,
    answers.read_listed,
    federation_xml.read_data_needs,
    federation_xml.read_permission,
    federation_xml.read_receipt,
    lambda element: answers.payload(element, data.QUOALISE),
)

TAGS = [
    *(
        f"{{urn:quoalise:0}}{name}"
        for name in ("quoalise", "data", "meta", "device", "measurement")
    ),
    SENSML,
    SENML,
    requests.COMMAND,
    FORM,
    *(f"{{jabber:x:data}}{name}" for name in ("field", "value", "item")),
    *(
        f"{{{NAMESPACE}}}{name}"
        for name in (
            "data-needs",
            "data-need",
            "permission",
            "receipt",
            "series",
            "shown",
            "erased",
        )
    ),
    "other",
]
FIELDS = [
    *("bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"),
]
NAMES = [
    *(*FIELDS, "x_", "type", "var", "node", "action", "status", "identifier", "id", "need"),
    *("version", "interval", "history", "duration", "retention", "start", "end", "records-from"),
    *("valid-from", "valid-until", "identification", "quantity", "reading", "sampling-interval"),
    *("direction", "sha256", "time", "state", "permission", "series", "records"),
]
WORDS = st.sampled_from(
    [
        *("", "0", "1", "-1", "1e400", "NaN", "1583016600", "P1D", "submit", "execute"),
        *("completed", "urn:dev:prm:30001610071843_a/b", "2021-12-01T00:00:00+01:00"),
        *("consumption", "sum", *Node),
    ]
) | st.text(max_size=8)


def elements(children: st.SearchStrategy[list[Element]]) -> st.SearchStrategy[Element]:
    @st.composite
    def build(draw: st.DrawFn) -> Element:
        attributes = draw(st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=6))
        made = Element(draw(st.sampled_from(TAGS)), attributes)
        made.text = draw(st.none() | WORDS)
        made.extend(draw(children))
        return made

    return build()


TREES = st.recursive(
    elements(st.just([])), lambda some: elements(st.lists(some, max_size=4)), max_leaves=12
)


@st.composite
def mutated(draw: st.DrawFn, document: bytes) -> bytes:
    altered = bytearray(document)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(altered) - 1))
        kind = draw(st.sampled_from(["replace", "delete", "insert", "copy"]))
        if kind == "replace":
            altered[at] = draw(st.integers(0, 255))
        elif kind == "delete":
            del altered[at : at + draw(st.integers(1, 40))]
            altered = altered or bytearray(b" ")
        elif kind == "insert":
            altered[at:at] = draw(st.binary(min_size=1, max_size=8))
        else:
            altered[at:at] = altered[at : at + draw(st.integers(1, 80))]
    return bytes(altered)


def read_with_each(element: Element) -> None:
    for reader in READERS:
        try:
            reader(element)
        except Malformed as error:
            event(error.problem.name)


@given(st.binary(max_size=200))
def test_bytes(noise: bytes) -> None:
    try:
        data.decode(noise)
    except Malformed:
        return
    raise AssertionError("noise was read")


@settings(max_examples=150)
@given(st.one_of(mutated(EXAMPLE.encode()), mutated(REQUEST.encode())))
def test_a_message_that_was_altered(document: bytes) -> None:
    try:
        read_with_each(parse(document))
    except Malformed as error:
        event(error.problem.name)


@settings(max_examples=150)
@given(TREES)
def test_elements_in_any_order(tree: Element) -> None:
    read_with_each(tree)
    assert stanza_errors.read(tree).text.say("fr")


@settings(max_examples=150)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=5), max_size=6))
def test_records_of_any_fields(records: list[dict[str, str]]) -> None:
    message = data.write(data.Data())
    sensml = message[0][1]
    sensml.extend(Element(SENML, fields) for fields in records)
    read_with_each(message)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=4), st.sampled_from(range(4)))
def test_a_permission_of_any_attributes(attributes: dict[str, str], at: int) -> None:
    sent = federation_xml.write_permission(PERMISSION)
    ([sent, *sent] * 4)[at].attrib.update(attributes)
    read_with_each(sent)


@given(st.text(max_size=40))
def test_text(noise: str) -> None:
    for reader in (identifier.identifier, identifier.device, iso8601.moment, iso8601.duration):
        try:
            reader(noise)
        except Malformed as error:
            shown = error.text.say("fr")
            assert shown.isprintable()
