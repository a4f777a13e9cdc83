"""How a home takes part: what it gains, what it is asked, what leaves it, and the ways in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from consometers_node.collective.members.members import public_collectives
from consometers_node.i18n.text import Text, text
from consometers_node.web.core.page_base import REPOSITORY
from consometers_node.web.public.page_base import Guest, PublicPages


@dataclass(frozen=True, slots=True)
class Source:
    """What shows that a claim is true: one of these pages, or a document of the project."""

    title: Text
    page: str = ""
    """Its path, without the first slash."""
    documents: Mapping[str, str] | None = None
    """The path of the document in the repository, by language, with the section."""

    def address(self, root: str, language: str) -> str:
        """Return where it is, from a page with that path to the first one."""
        if self.documents is None:
            return root + self.page
        return f"{REPOSITORY}/blob/main/{self.documents[language]}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about the data of a home, and what shows that it is true."""

    words: Text
    source: Source


_REQUESTS = Source(text("Personal data: the current requests"), page="privacy")
_RULES = Source(text("Rules of publication"), page="data#rules")
_PERSONAL = Source(
    text("Security: what is personal"),
    documents={
        "en": "SECURITY.md#what-is-personal",
        "fr": "SECURITY.fr.md#ce-qui-est-personnel",
    },
)
_GUARDED = Source(
    text("Security: whom we guard against"),
    documents={
        "en": "SECURITY.md#whom-we-guard-against",
        "fr": "SECURITY.fr.md#contre-qui-nous-nous-protégeons",
    },
)
_RISKS = Source(
    text("Disclosure control: accepted risks"),
    documents={
        "en": "docs/disclosure.md#accepted-risks",
        "fr": "docs/disclosure.fr.md#les-risques-acceptés",
    },
)
CLAIMS: Sequence[tuple[Text, Sequence[Claim]]] = (
    (
        text("Leaves your home"),
        (
            Claim(
                text(
                    "The energies that you tick, as finely and as far back as you allow. No box is"
                    " ticked for you, and your own page first shows the very records."
                ),
                _REQUESTS,
            ),
            Claim(
                text(
                    "With them: a pseudonym and your node’s address; your meter’s subscribed power"
                    " or delivery point only if the request that you allow names it."
                ),
                _PERSONAL,
            ),
        ),
    ),
    (
        text("Never leaves it"),
        (
            Claim(
                text("What you did not allow: your node’s own database refuses to let it out."),
                _GUARDED,
            ),
            Claim(text("A password, or a key of your Home Assistant."), _PERSONAL),
        ),
    ),
    (
        text("Is published"),
        (Claim(text("Sums of many homes, never a figure of your home alone."), _RULES),),
    ),
    (
        text("Remains possible"),
        (
            Claim(
                text("All the other homes of a sum, together, can compute yours."),
                _RISKS,
            ),
            Claim(
                text(
                    "The operator of the server that carries your messages can read them, as a"
                    " postman can read a postcard."
                ),
                _GUARDED,
            ),
        ),
    ),
    (
        text("When you stop"),
        (
            Claim(
                text(
                    "Nothing more leaves, at once. The collective erases what it received, unless"
                    " you let it keep it; published sums stay."
                ),
                _REQUESTS,
            ),
        ),
    ),
)
"""What becomes of a home's data, on one screen."""


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show how to take part."""
    async with pages.store.reading() as connection:
        collectives = await public_collectives(connection)
    return pages.page(
        guest,
        "take-part.html",
        collectives=collectives,
        claims=CLAIMS,
        project=REPOSITORY,
        shows_meeting=pages.about.meets_from(guest.today),
    )
