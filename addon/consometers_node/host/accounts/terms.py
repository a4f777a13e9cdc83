"""The terms on which a host keeps a household's data: those of a processor (GDPR, art. 28).

A change of their sense takes a new `VERSION`, which each household accepts before it goes on.
"""

from dataclasses import dataclass
from typing import Annotated

from consometers_node.i18n.text import Text, text
from consometers_node.settings_file.formats import MailAddress, Sentences

from .spaces import ShownTerms

VERSION = "2026-12-03"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs a host: the organisation, where people write to it, and where its machine is."""

    name: Annotated[Sentences, text("The registered name of the organisation that runs this host.")]
    address: Annotated[Sentences, text("The postal address of the registered office.")]
    contact: Annotated[
        MailAddress, text("The e-mail address for households, about their personal data too.")
    ]
    location: Annotated[
        Sentences, text("The location of the machine: the place, and the owner of the machine.")
    ]


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of the terms."""

    title: Text
    words: Text


WHO_CAN_READ = text("The people who run this machine can read what you bring here.")
"""Said where a space is made, before the terms."""

_CLAUSES = (
    Clause(
        text("Who does what"),
        text(
            "You decide what happens with your data. {operator} ({address}) runs this machine for"
            " you, and is your processor (GDPR, art. 28). Write to {contact}."
        ),
    ),
    Clause(
        text("What for, and how long"),
        text(
            "{operator} stores the energy data that you bring here, shows them to you, and sends"
            " to others what you allow on your pages, and nothing else, until you delete your"
            " space. Your data: your name here, the hash of your password, the dates on which you"
            " created your space and last logged in, your energy readings, your permissions."
        ),
    ),
    Clause(
        text("On your instructions alone"),
        text(
            "What you choose on your pages is an instruction. {operator} tells you if it believes"
            " that one breaks the law. It uses your data for nothing of its own."
        ),
    ),
    Clause(
        text("Who has access"),
        text(
            "No page shows your readings to the people who run this machine. They can read them"
            " nevertheless, as can anybody who controls a server. They are few, and bound to"
            " secrecy. The machine is here: {location}."
        ),
    ),
    Clause(
        text("Security"),
        text(
            "Pages are encrypted on their way, passwords are stored as hashes, each home has a"
            " database of its own, and backups are as protected as the machine. If somebody gets"
            " at your data, {operator} informs you without delay, with what it knows, and helps you"
            " to meet your own duties, including towards the data protection authority."
        ),
    ),
    Clause(
        text("Other processors"),
        text(
            "If {operator} has somebody else run the machine, the same duties bind them. It"
            " announces a change beforehand, and you may refuse it by leaving."
        ),
    ),
    Clause(
        text("Your rights"),
        text(
            "You read, correct, export and erase your data on your pages, by yourself. For what"
            " the pages cannot do, {operator} helps you."
        ),
    ),
    Clause(
        text("The end"),
        text(
            "You may leave at any time: “Delete my space” withdraws your permissions, has others"
            " erase what you shared, and deletes all your data here; backups forget it as they"
            " expire. Of your name a fingerprint stays, so that nobody else gets your address."
            " {operator} gives you at least 60 days’ notice before it closes this host."
        ),
    ),
    Clause(
        text("Proof"),
        text(
            "{operator} gives you what you need to check that it keeps these terms, and lets you or"
            " an auditor whom you name check it."
        ),
    ),
)


def clauses(operator: Operator) -> list[Clause]:
    """Return the terms of a host."""
    named = {
        "operator": operator.name,
        "address": operator.address,
        "contact": operator.contact,
        "location": operator.location,
    }
    return [Clause(clause.title, clause.words.fill(**named)) for clause in _CLAUSES]


def shown(operator: Operator, language: str) -> ShownTerms:
    """Return the terms as a page shows them in a language, for the proof that they were accepted.

    The sentence on who can read is part of them.
    """
    parts = [
        f"{each.title.say(language)}\n{each.words.say(language)}" for each in clauses(operator)
    ]
    return ShownTerms(VERSION, language, "\n\n".join([WHO_CAN_READ.say(language), *parts]))
