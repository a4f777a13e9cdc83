"""Reports say everything in three forms and two languages, and no secret."""

import json
from string import Formatter
from xml.etree import ElementTree as ET

import pytest

from quoalise_conformance.report import complete, write
from quoalise_conformance.requirements import requirements
from quoalise_conformance.results import SCHEMA, Failed, NotTried, Outcome, conforms, result
from quoalise_conformance.session import stanzas
from quoalise_conformance.words import WORDS, Language

STANZA = stanzas.element(
    stanzas.IQ,
    stanzas.element("{urn:consometers:federation:0}invitation", token="hunter2"),
    stanzas.element("{urn:consometers:federation:0}export", text="UEsDBA=="),
    id="1",
)
RESULTS = {
    "Q-2": result("Q-2", None),
    "Q-6": result("Q-6", Failed("lacks", STANZA, what="<meta>")),
    "Q-8": result("Q-8", Failed("lacks", STANZA, what="<device>")),
    "Q-9": result("Q-9", NotTried("no_records")),
    SCHEMA: result(SCHEMA, None),
}
REPORT = complete(RESULTS, "of_clients")


def test_each_requirement_has_a_result() -> None:
    assert [each.number for each in REPORT] == [*requirements(), SCHEMA]


def test_a_should_is_no_failure() -> None:
    assert RESULTS["Q-8"].outcome is Outcome.DEVIATES
    assert not conforms(REPORT)
    assert conforms(each for each in REPORT if each.number != "Q-6")


@pytest.mark.parametrize("language", Language)
def test_the_text_names_what_failed_and_why(language: Language) -> None:
    text = write(REPORT, "text", language)
    assert requirements()["Q-6"].sentences[language] in text
    assert "<meta>" in text
    assert requirements()["Q-7"].sentences[language] not in text


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_secrets_and_personal_content_are_hidden(form: str) -> None:
    text = write(REPORT, form, Language.ENGLISH)
    assert "hunter2" not in text
    assert "UEsDBA" not in text


def test_json_has_everything() -> None:
    document = json.loads(write(REPORT, "json", Language.FRENCH))
    assert document["counts"]["failed"] == 1
    (broken,) = [each for each in document["requirements"] if each["outcome"] == "failed"]
    assert (broken["number"], broken["level"]) == ("Q-6", "MUST")
    assert broken["stanza"].startswith("<iq")


def test_junit_has_a_case_for_each() -> None:
    suite = ET.fromstring(write(REPORT, "junit", Language.ENGLISH))
    assert len(suite) == int(suite.get("tests", "")) == len(REPORT)
    broken = [case.get("name", "") for case in suite if case.find("failure") is not None]
    assert [name.partition(" ")[0] for name in broken] == ["Q-6"]


def test_a_long_stanza_is_cut() -> None:
    long = stanzas.element(stanzas.IQ, text="x" * 10_000)
    assert len(stanzas.shown(long)) < 2_000


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_have_the_same_facts(key: str) -> None:
    english, french = ({name for _, name, _, _ in Formatter().parse(text)} for text in WORDS[key])
    assert english == french
