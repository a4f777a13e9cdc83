"""Checks of requirements: registered by number, run one after the other."""

from collections.abc import Awaitable, Callable
from xml.etree.ElementTree import Element

from quoalise_conformance.results import Failed
from quoalise_conformance.session import stanzas


class Checks[Subject]:
    """The checks of a mode, each of which raises a `Finding` or passes."""

    def __init__(self) -> None:
        self.by_number: dict[str, Callable[[Subject], Awaitable[None]]] = {}

    def of(
        self, number: str
    ) -> Callable[[Callable[[Subject], Awaitable[None]]], Callable[[Subject], Awaitable[None]]]:
        """Register a check under the number of its requirement."""

        def register(
            check: Callable[[Subject], Awaitable[None]],
        ) -> Callable[[Subject], Awaitable[None]]:
            assert number not in self.by_number
            self.by_number[number] = check
            return check

        return register


def expect_refusal(answer: Element, *conditions: str) -> None:
    """Raise `Failed` unless the answer is a refusal with one of these conditions."""
    refused = stanzas.refusal(answer)
    wanted = " / ".join(conditions)
    if refused is None:
        raise Failed("not_refused", answer, wanted=wanted)
    if refused.condition not in conditions:
        raise Failed("other", answer, wanted=wanted, seen=refused.condition)


def expect_success(answer: Element) -> None:
    """Raise `Failed` if the answer is a refusal."""
    refused = stanzas.refusal(answer)
    if refused is not None:
        raise Failed("refused", answer, seen=refused.condition)


def expect(true: bool, stanza: Element | None, key: str, **facts: object) -> None:
    """Raise `Failed` unless it is true."""
    if not true:
        raise Failed(key, stanza, **facts)
