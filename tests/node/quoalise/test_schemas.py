"""The schemas accept what is documented and written, and refuse what differs from it."""

from collections.abc import Iterator
import re
from xml.etree.ElementTree import Element, SubElement

from hypothesis import given, settings, strategies as st
import pytest

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise import (
    COMMANDS,
    BadRequest,
    ErrorType,
    ItemNotFound,
    Node,
    NotAuthorized,
    OtherError,
    QuoaliseError,
    ResourceConstraint,
    UpstreamError,
    answers,
    commands,
    stanza_errors,
)
from consometers_quoalise.elements.markup import split
from consometers_quoalise.records import data
from packages.quoalise.tests.samples import CODECS, COMMANDS as OF_COMMANDS, DATA, Codec, element
from testing.xmpp.protocol_page import EXAMPLES
from testing.xmpp.schemas import BY_NAMESPACE, SCHEMAS, faults

FEW = settings(max_examples=25)
META = "{urn:quoalise:0}meta"
OPTIONAL = {
    ("senml", "bn"),
    ("senml", "bt"),
    ("senml", "t"),
    ("senml", "bu"),
    ("command", "action"),
    ("field", "type"),
    ("field", "label"),
    ("series", "subscribed-power"),
    ("erased", "series"),
}
"""What may be missing."""
FREE = {
    ("senml", "bu"),
    ("command", "sessionid"),
    ("field", "label"),
    ("field", "var"),
    ("data-need", "id"),
    ("permission", "need"),
    ("upstream-error", "issuer"),
    ("upstream-error", "code"),
}
"""What may have any value, or many."""
WRONG = "?"


def closed(example: str) -> list[Element]:
    """All elements of an example but those of `<meta>`, which may have other content."""

    def within(parent: Element) -> Iterator[Element]:
        yield parent
        for child in parent:
            if child.tag != META:
                yield from within(child)

    return list(within(element(example)))


def test_every_schema_is_used_and_documented() -> None:
    files = {path.stem for path in SCHEMAS.glob("*.rng")}
    assert files == {*BY_NAMESPACE.values(), "types"}
    for language in ("", ".fr"):
        page = (SCHEMAS.parent / f"protocol{language}.md").read_text()
        assert set(re.findall(r"\]\(schemas/(\w+)\.rng\)", page)) == files


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_valid(example: str) -> None:
    assert faults(example) == []


@pytest.mark.parametrize("tag", CODECS, ids=lambda tag: split(tag)[1])
@FEW
@given(drawn=st.data())
def test_every_written_element_is_valid(tag: str, drawn: st.DataObject) -> None:
    values, _, write = CODECS[tag]
    assert faults(write(drawn.draw(values))) == []


@pytest.mark.parametrize("codec", OF_COMMANDS, ids=["request", "answer"])
@FEW
@given(drawn=st.data())
def test_every_written_command_is_valid(codec: Codec, drawn: st.DataObject) -> None:
    values, _, write = codec
    assert faults(write(drawn.draw(values))) == []


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("node", Node)
def test_what_a_chat_client_sees_is_valid(node: Node, language: str) -> None:
    command = COMMANDS[node]
    assert faults(answers.cancelled(command, "7")) == []
    if command.fields:
        assert faults(answers.to_fill(command, "7", OurWords(language))) == []
        assert faults(element(f'<command xmlns="{commands.NAMESPACE}" node="{node}"/>')) == []


@FEW
@given(DATA)
def test_an_answer_needs_its_payload(records: data.Data) -> None:
    answer = answers.completed(Node.GET_HISTORY, "…", payload=data.write(records))
    assert faults(answer) == []
    assert faults(answers.completed(Node.GET_HISTORY, "…"))
    assert faults(answers.completed(Node.SUBSCRIBE, "…")) == []


@pytest.mark.parametrize(
    "error",
    [
        NotAuthorized(),
        ItemNotFound(),
        BadRequest(),
        ResourceConstraint(),
        UpstreamError("enedis-sge-tiers"),
        OtherError("internal-server-error", ErrorType.WAIT),
        OtherError("policy-violation", ErrorType.MODIFY),
        OtherError("not-acceptable", ErrorType.CANCEL),
    ],
    ids=lambda error: error.condition,
)
def test_every_refusal_is_valid_with_its_type_alone(error: QuoaliseError) -> None:
    sent = stanza_errors.write(error, OurWords("fr"))
    assert faults(sent) == []
    for other in set(ErrorType) - {error.type}:
        sent.set("type", other)
        assert faults(sent), other


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_a_missing_attribute_is_refused(example: str) -> None:
    for place, changed in enumerate(closed(example)):
        for name in changed.attrib:
            root = closed(example)
            del root[place].attrib[name]
            is_optional = (split(changed.tag)[1], name) in OPTIONAL
            assert faults(root[0]) or is_optional, (changed.tag, name)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_a_wrong_value_is_refused(example: str) -> None:
    for place, changed in enumerate(closed(example)):
        for name in changed.attrib:
            root = closed(example)
            root[place].set(name, WRONG)
            assert faults(root[0]) or (split(changed.tag)[1], name) in FREE, (changed.tag, name)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_unknown_content_is_refused(example: str) -> None:
    for place, changed in enumerate(closed(example)):
        root = closed(example)
        SubElement(root[place], "{urn:example:other}unknown")
        assert faults(root[0]), changed.tag
        root = closed(example)
        root[place].set("unknown", "1")
        assert faults(root[0]), changed.tag


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('v="100"', 'v="NaN"'),
        ('v="100"', 'v="INF"'),
        ('v="100"', 'v="9007199254740993000"'),
        ('v="100"', 'v="1_000"'),
        ('v="100"', 'vs="much"'),
        ('v="100"', ""),
        ('bt="1583016600"', 'bt="1583016600000"'),
        ('bt="1583016600" t="0"', 't="0"'),
        ('bn="urn:dev:prm:30001610071843_consumption/power/active/raw"', ""),
        ('sampling-interval="PT30M"', 'sampling-interval="30 min"'),
        ("<meta>", "<meta/><meta>"),
        ("</sensml>", "</sensml><sensml xmlns='urn:ietf:params:xml:ns:senml'/>"),
        ("</data>", "</data><data/>"),
    ],
)
def test_what_no_record_is_is_refused(before: str, after: str) -> None:
    assert before in EXAMPLES[0]
    assert faults(EXAMPLES[0]) == []
    assert faults(EXAMPLES[0].replace(before, after, 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("urn:dev:prm:30001610071843", "urn:dev:prm:3000161007184"),
        ("urn:dev:prm:30001610071843", "urn:dev:mac:XY"),
        ("2021-12-01T00:00:00+01:00", "2021-12-01T00:00:00"),
        ("2021-12-01T00:00:00+01:00", "2021-13-01T00:00:00+01:00"),
        ("2021-12-01T00:00:00+01:00", "yesterday"),
        ('type="submit"', 'type="result"'),
        ('node="get_history"', 'node="subscribe"'),
        ('node="get_history"', 'node="get_everything"'),
    ],
)
def test_what_no_request_is_is_refused(before: str, after: str) -> None:
    asked = next(each for each in EXAMPLES if 'action="execute"' in each)
    assert before in asked
    assert faults(asked) == []
    assert faults(asked.replace(before, after, 1))


def test_a_witness_belongs_to_sums_alone() -> None:
    with_witness = next(each for each in EXAMPLES if "<witness" in each)
    assert faults(with_witness) == []
    assert faults(with_witness.replace('reading="sum"', 'reading="individual"'))
    without = next(each for each in EXAMPLES if 'reading="individual"' in each)
    assert faults(without) == []
    assert faults(without.replace('reading="individual"', 'reading="sum"'))
    for minimum in ("2", "-3", "3.5"):
        assert faults(with_witness.replace('minimum="10"', f'minimum="{minimum}"'))


@pytest.mark.parametrize(
    ("element", "attribute", "right"),
    [("<verification", "group", "3"), ("<opening", "group", "3"), ("<opened", "groups", "3 5")],
)
def test_a_group_has_one_name(element: str, attribute: str, right: str) -> None:
    sent = next(each for each in EXAMPLES if element in each)
    assert faults(sent.replace(f'{attribute}="{right}"', f'{attribute}="0"')) == []
    for wrong in ("03", "00", "3 05", "3 0 05", 13 * "1"):
        assert faults(sent.replace(f'{attribute}="{right}"', f'{attribute}="{wrong}"')), wrong
