"""What was seen of each requirement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree.ElementTree import Element

from .requirements import Level, requirements

SCHEMA = "schema"
"""Stands beside the numbers of requirements: stanzas that are not valid, and nothing else wrong."""


class Outcome(StrEnum):
    """What became of a requirement."""

    PASSED = "passed"
    FAILED = "failed"
    DEVIATES = "deviates"
    """From a SHOULD: there may be a reason for it."""
    NOT_TRIED = "not tried"


class Finding(Exception):
    """Why a requirement did not pass: a key of `words`, with facts for its sentence."""

    def __init__(self, key: str, stanza: Element | None = None, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.stanza = stanza
        self.facts = facts


class Failed(Finding):
    """The other side does not do what a requirement demands."""


class NotTried(Finding):
    """There was nothing to judge."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a requirement; `key` and `facts` say why, unless it passed."""

    number: str
    outcome: Outcome
    key: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    stanza: Element | None = None


def result(number: str, finding: Finding | None) -> Result:
    """Return the result of a check that raised this, or nothing."""
    if finding is None:
        return Result(number, Outcome.PASSED)
    if isinstance(finding, NotTried):
        outcome = Outcome.NOT_TRIED
    elif number != SCHEMA and requirements()[number].level is Level.SHOULD:
        outcome = Outcome.DEVIATES
    else:
        outcome = Outcome.FAILED
    return Result(number, outcome, finding.key, finding.facts, finding.stanza)


def conforms(results: Iterable[Result]) -> bool:
    """Return whether nothing failed."""
    return all(each.outcome is not Outcome.FAILED for each in results)
