"""Results as text, JSON and JUnit."""

from collections import Counter
from collections.abc import Iterator, Mapping
import json
from typing import Final
from xml.etree import ElementTree as ET

from .checks.unseen import UNSEEN
from .requirements import requirements
from .results import SCHEMA, Outcome, Result
from .session import stanzas
from .words import Language, say

FORMATS: Final = ("text", "json", "junit")


def complete(results: Mapping[str, Result], otherwise: str) -> list[Result]:
    """Return a result of every requirement, in order.

    Those that this mode does not try were not tried because they are `UNSEEN`, or `otherwise`.
    """
    numbers = (*requirements(), SCHEMA)
    return [
        results[number]
        if number in results
        else Result(number, Outcome.NOT_TRIED, UNSEEN.get(number, otherwise))
        for number in numbers
        if number in results or number != SCHEMA
    ]


def write(results: list[Result], form: str, language: Language) -> str:
    """Return a report in one of `FORMATS`."""
    match form:
        case "json":
            return json.dumps(_document(results, language), ensure_ascii=False, indent=2) + "\n"
        case "junit":
            return _junit(results, language)
        case _:
            return "\n".join(_lines(results, language)) + "\n"


def counts(results: list[Result]) -> dict[str, int]:
    """Count the results of each outcome."""
    counted = Counter(each.outcome for each in results)
    return {outcome.replace(" ", "_"): counted[outcome] for outcome in Outcome}


def _sentence(each: Result, language: Language) -> str:
    if each.number == SCHEMA:
        return say(SCHEMA, language)
    return requirements()[each.number].sentences[language]


def _why(each: Result, language: Language) -> str:
    return say(each.key, language, **each.facts) if each.key else ""


def _lines(results: list[Result], language: Language) -> Iterator[str]:
    for each in results:
        outcome = say(each.outcome, language)
        if each.outcome in {Outcome.PASSED, Outcome.NOT_TRIED}:
            why = _why(each, language)
            yield f"{each.number:6} {outcome}{f': {why}' if why else ''}"
            continue
        yield f"{each.number:6} {outcome}: {_why(each, language)}"
        yield f"       {_sentence(each, language)}"
        if each.stanza is not None:
            yield f"       {say('stanza', language)} {stanzas.shown(each.stanza)}"
    yield say("summary", language, **counts(results))


def _document(results: list[Result], language: Language) -> object:
    return {
        "counts": counts(results),
        "requirements": [
            {
                "number": each.number,
                "level": None if each.number == SCHEMA else requirements()[each.number].level,
                "outcome": each.outcome,
                "requirement": _sentence(each, language),
                "why": _why(each, language) or None,
                "stanza": None if each.stanza is None else stanzas.shown(each.stanza),
            }
            for each in results
        ],
    }


def _junit(results: list[Result], language: Language) -> str:
    counted = counts(results)
    suite = ET.Element(
        "testsuite",
        {
            "name": "quoalise-conformance",
            "tests": str(len(results)),
            "failures": str(counted["failed"]),
            "skipped": str(counted["not_tried"]),
            "errors": "0",
        },
    )
    for each in results:
        name = f"{each.number} {_sentence(each, language)}"
        case = ET.SubElement(suite, "testcase", {"classname": "quoalise", "name": name})
        why = _why(each, language)
        shown = "" if each.stanza is None else stanzas.shown(each.stanza)
        match each.outcome:
            case Outcome.FAILED:
                ET.SubElement(case, "failure", {"message": why}).text = shown
            case Outcome.NOT_TRIED:
                ET.SubElement(case, "skipped", {"message": why})
            case Outcome.DEVIATES:
                ET.SubElement(case, "system-out").text = f"{why}\n{shown}"
            case Outcome.PASSED:
                pass
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
