"""What may be written to members, and to whom of them at once. Pure."""

from collections.abc import Iterable, Mapping

from consometers_node.collective.members.member_overview import MemberEntry, Status
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import MemberId
from consometers_quoalise.bounds import characters
from consometers_quoalise.foreign import clean_lines

MAX_BODY = characters("body")
GROUPS: Mapping[str, frozenset[Status]] = {
    "silent": frozenset({Status.SILENT}),
    "all": frozenset({Status.SILENT, Status.DELIVERING}),
}
"""Members who are written to together, by their state."""
EMPTY = text("Write the message in at least one language.")
LONG = text("Write at most {most} characters.")


def as_body(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was written in each language, as a home reads it: without empty ones."""
    return {tag: lines for tag, words in typed.items() if (lines := clean_lines(words))}


def too_long(body: Mapping[str, str]) -> list[str]:
    """Return the languages in which a letter is too long."""
    return [tag for tag, words in body.items() if len(words) > MAX_BODY]


def in_group(entries: Iterable[MemberEntry], group: str) -> list[MemberId]:
    """Return the members of a group."""
    return [entry.id for entry in entries if entry.status in GROUPS[group]]
