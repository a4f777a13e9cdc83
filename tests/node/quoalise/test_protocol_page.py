"""The page that explains the protocol: every example is read, and its tables are the code's."""

import re
from xml.etree.ElementTree import Element

import pytest

from consometers_node.i18n.protocol import OurWords
from consometers_protected_sums.exchange import Refusal
from consometers_quoalise import (
    COMMANDS,
    MAX_PUSHED,
    MAX_RECORDS,
    BadRequest,
    ErrorType,
    Identification,
    ItemNotFound,
    Node,
    NotAuthorized,
    QuoaliseError,
    Reading,
    ResourceConstraint,
    Role,
    SeriesPath,
    UpstreamError,
    answers,
    bounds,
    requests,
    stanza_errors,
)
from consometers_quoalise.elements.markup import MAX_BYTES, MAX_DEPTH, serialise
from consometers_quoalise.federation import protected_sums
from consometers_quoalise.records import data
from packages.quoalise.tests.samples import CODECS, element
from testing.xmpp.protocol_page import DOCS, EXAMPLE, EXAMPLES, PAGE


def test_the_french_page_has_the_same_examples() -> None:
    assert EXAMPLE.findall((DOCS / "protocol.fr.md").read_text()) == EXAMPLES


def read_command(command: Element) -> object:
    if command.get("status") is None:
        return requests.read(command)
    if command.get("node") == "list_series":
        return answers.listed(answers.read_listed(command), words=OurWords("en"))
    result = data.read(answers.payload(command, data.QUOALISE))
    label = command.findall(".//{jabber:x:data}field")[0].get("label", "")
    return answers.completed(
        Node.GET_HISTORY, label.split()[-1], payload=data.write(result), words=OurWords("en")
    )


def write_again(sent: Element) -> object:
    """Read an element, and write it."""
    if sent.tag == requests.COMMAND:
        return read_command(sent)
    if sent.tag == stanza_errors.ERROR:
        return stanza_errors.write(stanza_errors.read(sent), OurWords("en"))
    _, read, write = CODECS[sent.tag]
    return write(read(sent))


def facts(sent: Element) -> object:
    """An element without its white space, whatever the order of its attributes and children."""
    words = (sent.text or "").strip()
    return sent.tag, sorted(sent.attrib.items()), words, sorted(map(str, map(facts, sent)))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_written_as_documented(example: str) -> None:
    sent = element(example)
    again = write_again(sent)
    if isinstance(
        again,
        requests.GetHistory
        | requests.GetExport
        | requests.VerifyReports
        | requests.OpenSums
        | requests.SendLetter,
    ):
        again = requests.write(again)
    assert isinstance(again, Element)
    assert facts(element(serialise(again))) == facts(sent)


def test_every_element_has_an_example() -> None:
    tags = {element(example).tag for example in EXAMPLES}
    # These stand in their commands.
    elements = CODECS.keys() - {protected_sums.VERIFICATION, protected_sums.OPENING}
    assert tags == elements | {requests.COMMAND, stanza_errors.ERROR}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the tables under that first cell, by their first cell."""
    tables = [part.split("\n\n", 1)[0] for part in PAGE.split(f"\n| {heading} |")[1:]]
    lines = [line.strip("|").split("|") for table in tables for line in table.splitlines()[2:]]
    return {first.strip(" `"): [cell.strip() for cell in rest] for first, *rest in lines}


def test_documented_commands_match_the_code() -> None:
    documented = {node: cells[:2] for node, cells in rows("command").items()}
    assert documented == {
        command.node: [
            ", ".join(f"`{field.var}`" for field in command.fields) or "–",
            ", ".join(role for role in Role if role in command.answered_by),
        ]
        for command in COMMANDS.values()
    }


def test_documented_refusals_match_the_code() -> None:
    kinds: list[type[QuoaliseError]] = [
        NotAuthorized,
        ItemNotFound,
        BadRequest,
        ResourceConstraint,
        UpstreamError,
    ]
    documented = {condition: cells[0].strip("`") for condition, cells in rows("condition").items()}
    assert documented == {kind.condition: kind.type for kind in kinds} | {
        "internal-server-error": ErrorType.WAIT,
        "policy-violation": ErrorType.MODIFY,
        "not-acceptable": ErrorType.CANCEL,
        "feature-not-implemented": ErrorType.CANCEL,
    }


def test_documented_limits_match_the_code() -> None:
    documented = [int(cells[0].replace(",", "")) for cells in rows("what | at most").values()]
    assert documented == [
        MAX_BYTES,
        MAX_DEPTH,
        MAX_RECORDS,
        MAX_PUSHED,
        protected_sums.MAX_REPORTS,
    ]


def test_documented_field_bounds_match_the_code() -> None:
    def limits(header: str) -> dict[str, int]:
        return {
            name: int(cells[0].replace(",", ""))
            for names, cells in rows(header).items()
            for name in re.findall(r"`([a-z-]+)`", f"`{names}`") or [names]
        }

    assert limits("attribute, element or field") == {**bounds.CHARACTERS, "any other": bounds.OTHER}
    assert limits("element") == bounds.ELEMENTS


def test_every_word_of_the_protocol_is_documented() -> None:
    paths = [SeriesPath.POWER, SeriesPath.ENERGY_DAILY, SeriesPath.ENERGY_INDEX, SeriesPath.MEDIAN]
    paths += [SeriesPath.LOWER_QUARTILE, SeriesPath.UPPER_QUARTILE]
    for word in (*paths, SeriesPath.MEMBERS, *Reading, *Identification, *Refusal):
        assert word in PAGE
