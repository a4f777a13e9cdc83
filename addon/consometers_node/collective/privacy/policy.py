"""The data policy of a collective (GDPR, articles 13 and 14), from the node's data.

Its public page shows it. As a draft in Markdown, for a collective that publishes its own, it also
says in brackets what the node does not know.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from consometers_node.collective.about import load_about
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.permissions.needs import offered
from consometers_node.collective.privacy_notice import retention
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.settings import Settings
from consometers_node.i18n.names import of_name
from consometers_node.i18n.text import Text, printed, text, verbatim
from consometers_node.permission import DataNeed
from consometers_node.sharing.consent_text import length
from consometers_node.store.engine.connection import AsyncConnection

from .processing_records import BASIS, SECURITY, data_of

_OFF_SITE_DAYS = 2
"""The off-site copy is removed this much later."""
_GAP = "[{}]"

_TITLE = text("Data policy {of_name}")
_DRAFT = text(
    "This draft holds what the node knows. Complete what stands in [brackets], read the rest with"
    " the members who answer for it, publish it at the address that your data requests name, and"
    " remove this paragraph. Make a new draft when you ask for something else."
)
_CONTROLLER = text("Who is responsible")
_IDENTITY = text("{controller}. Contact for all questions about your data: {contact}.")
_OFFICER = text("Data protection officer: {contact}.")
_NO_OFFICER = text("data protection officer, if there is one")
_LEGAL_FORM = text("legal form")
_REGISTRATION = text("registration number")
_ADDRESS = text("postal address")
_PURPOSES = text("What for, and which data")
_NO_NEED = text("We ask our members for no data at present.")
_NO_NEED_YET = text("make this draft again after your first data request")
_DATA = text("Data: {data}.")
_KEPT = text("Kept: {retention}.")
_OTHERS = text("Other recipients: {recipients}.")
_NO_RECIPIENT = text("nobody")
_PROTECTED = text(
    "In protected sums alone: your node masks each hour, and we cannot read it. The witness,"
    " {witness} ({contact}), has the key and no data of yours; it opens sums of at least {minimum}"
    " homes with us. It knows a pseudonym of your home, and in which hours it is in a sum. Masked"
    " hours are erased once their sum is opened, after 35 days at the latest."
)
_SOURCE = text(
    "The data come from your own Home Assistant, under a pseudonym; we obtain nothing from the"
    " network operator. You also give us the address of your node and, if you like, your commune."
    " Nobody is obliged to provide them, and nothing else depends on it. No decision about you is"
    " made by a program."
)
_LEGAL = text("Legal basis")
_WITHDRAWAL = text(
    "You withdraw on the page of your own node, at any time, as easily as you agreed: nothing more"
    " is sent, and what we received is erased at once, unless you let us keep it for the time"
    " above. What was done before stays lawful. We keep a record of permissions given and"
    " withdrawn, and of who read your data, because the law obliges us to prove both (articles"
    " 5(2) and 7(1))."
)
_RECIPIENTS = text("Who sees the data")
_ADMINISTRATORS = text(
    "Our administrators. Each access to your data is logged. They may note a name and a remark"
    " beside your pseudonym, for themselves: both are in your export, and erased with your data."
)
_HOST = text("Our host, on our behalf: {host}.")
_NO_HOST = text("name and address of the host")
_LOCATION = text("Location of the data: {location}.")
_NO_LOCATION = text("city and country, and transfers outside the European Union, if any")
_SUMS = text(
    "The public: sums of at least {minimum} homes, by the rules of publication, which limit what"
    " they reveal of a home. What was published stays published."
)
_SUMS_BY_LAW = text(
    "The public: sums of at least as many homes as the law requires, by the rules of publication,"
    " which limit what they reveal of a home. What was published stays published."
)
_RETENTION = text("How long")
_KEPT_DATA = text("Your data: as stated above for each purpose.")
_KEPT_BACKUPS = text(
    "Backups: what was erased stays in them for up to {days} more. If one is put back, what was"
    " erased since is erased again."
)
_KEPT_BACKUPS_UNTIL = text(
    "Backups: what was erased stays in them until they are replaced. If one is put back, what was"
    " erased since is erased again."
)
_KEPT_LOG = text(
    "The log of accesses: one year. The record of permissions: as long as the collective exists;"
    " after an erasure, it names nobody."
)
_WITNESS = text("Homes for which we are a witness")
_WITNESSED = text(
    "We are the witness of {collectives}: with that collective alone, we open totals of its homes."
    " Of each home we hold a pseudonym, which code its household received from us, what it was"
    " promised, its keys of the last 35 days and which of its hours were opened; the node holds no"
    " record of it, and no name."
)
_WITNESS_BASIS = text(
    "Legal basis: the consent that the home gave for the total. Its node enrols with us, sees what"
    " was opened, and leaves at any time. When a home leaves, its key is erased at once. The"
    " pseudonym and the opened hours stay for a year, so that the home can see what was opened;"
    " then the pseudonym is erased, and the hours name nobody."
)
_NO_DAYS = text("number of days")
_VISITORS = text("Visitors of the public pages")
_COOKIE = text(
    "The public pages store one cookie, for the language that you choose. They load nothing from"
    " other sites, and do not track your visit."
)
_SECURITY = text("Security")
_RIGHTS = text("Your rights")
_RIGHTS_ARE = text(
    "You may see your data, receive them in a usable format, have them corrected or erased, have"
    " their use restricted, and withdraw your consent. The page of your node does most of this at"
    " once; otherwise write to {contact}. We answer within a month."
)
_COMPLAINT = text(
    "You may complain to the supervisory authority. In France: CNIL, 3 place de Fontenoy, TSA"
    " 80715, 75334 Paris Cedex 07, www.cnil.fr."
)
_MAIL = text("e-mail address")


class BlockKind(StrEnum):
    """The kind of a part."""

    TITLE = "title"
    SECTION = "section"
    PURPOSE = "purpose"
    PARAGRAPH = "paragraph"
    ITEMS = "items"


_MARKS = {
    BlockKind.TITLE: "# ",
    BlockKind.SECTION: "## ",
    BlockKind.PURPOSE: "### ",
    BlockKind.PARAGRAPH: "",
    BlockKind.ITEMS: "- ",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, or the items of a list."""

    kind: BlockKind
    words: Sequence[Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The contents of a data policy. `off_site`: backups are copied elsewhere too."""

    needs: Sequence[DataNeed]
    settings: Settings
    publication: Publication
    off_site: bool


async def read_facts(connection: AsyncConnection, settings: Settings, *, off_site: bool) -> Facts:
    """Return the current facts."""
    rules = await InForce(settings.publication).read(connection, datetime.now(UTC))
    return Facts(
        needs=await offered(connection),
        settings=replace(settings, about=await load_about(connection, settings.about)),
        publication=rules.publication,
        off_site=off_site,
    )


def policy(facts: Facts, language: str) -> list[Block]:
    """Return the data policy."""
    return list(_Writer(facts, language).blocks())


def draft(facts: Facts, language: str) -> str:
    """Return the same in Markdown, with the gaps to complete in brackets."""
    writer = _Writer(facts, language, is_draft=True)
    return "\n\n".join(_markdown(block, language) for block in writer.blocks()) + "\n"


def _markdown(block: Block, language: str) -> str:
    mark = _MARKS[block.kind]
    return "\n".join(f"{mark}{printed(words, language)}" for words in block.words)


@dataclass(frozen=True, slots=True)
class _Writer:
    facts: Facts
    language: str
    is_draft: bool = False

    def blocks(self) -> Iterator[Block]:
        about = self.facts.settings.about
        if self.is_draft:
            yield _block(BlockKind.TITLE, _TITLE.fill(of_name=of_name(self.facts.settings.name)))
            yield _block(BlockKind.PARAGRAPH, verbatim(f"> {_DRAFT.say(self.language)}"))
        contacts = ", ".join(dict.fromkeys(need.contact for need in self.facts.needs))
        contact = contacts or about.mail or self._gap(_MAIL) or self.facts.settings.name
        identity = _IDENTITY.fill(controller=self._controller(), contact=contact)
        yield from _section(_CONTROLLER, identity)
        if officer := about.dpo or self._gap(_NO_OFFICER):
            yield _block(BlockKind.PARAGRAPH, _OFFICER.fill(contact=officer))
        yield _block(BlockKind.SECTION, _PURPOSES)
        yield from self._purposes()
        yield from _section(_LEGAL, BASIS, _WITHDRAWAL)
        yield _block(BlockKind.SECTION, _RECIPIENTS)
        yield _block(BlockKind.ITEMS, *self._recipients())
        yield _block(BlockKind.SECTION, _RETENTION)
        yield _block(BlockKind.ITEMS, _KEPT_DATA, self._backups(), _KEPT_LOG)
        if collectives := ", ".join(self.facts.settings.witness_for):
            witnessed = _WITNESSED.fill(collectives=collectives)
            yield from _section(_WITNESS, witnessed, _WITNESS_BASIS)
        yield from _section(_VISITORS, _COOKIE)
        yield from _section(_SECURITY, SECURITY)
        yield from _section(_RIGHTS, _RIGHTS_ARE.fill(contact=contact), _COMPLAINT)

    def _controller(self) -> str:
        about = self.facts.settings.about
        controllers = [need.controller for need in self.facts.needs]
        if about.legal_name or not controllers:
            controllers.append(about.legal_name or self.facts.settings.name)
        parts = (
            *dict.fromkeys(controllers),
            about.legal_form or self._gap(_LEGAL_FORM),
            about.registration or self._gap(_REGISTRATION),
            about.address or self._gap(_ADDRESS),
        )
        return ", ".join(filter(None, parts))

    def _purposes(self) -> Iterator[Block]:
        for need in self.facts.needs:
            yield _block(BlockKind.PURPOSE, Text(need.title))
            yield _block(BlockKind.PARAGRAPH, Text(need.purpose))
            recipients = Text(need.recipients).say(self.language).rstrip(".")
            yield _block(
                BlockKind.ITEMS,
                _DATA.fill(data=data_of(need).say(self.language)),
                _KEPT.fill(retention=retention(need).say(self.language)),
                _OTHERS.fill(recipients=recipients or _NO_RECIPIENT.say(self.language)),
            )
            if need.witness is not None:
                words = _PROTECTED.fill(
                    witness=need.witness.name,
                    contact=need.witness.contact,
                    minimum=need.witness.minimum,
                )
                yield _block(BlockKind.PARAGRAPH, words)
        if not self.facts.needs:
            yield _block(BlockKind.PARAGRAPH, _NO_NEED)
            if again := self._gap(_NO_NEED_YET):
                yield _block(BlockKind.PARAGRAPH, verbatim(again))
        yield _block(BlockKind.PARAGRAPH, _SOURCE)

    def _recipients(self) -> Iterator[Text]:
        about, minimum = self.facts.settings.about, self.facts.publication.minimum
        yield _ADMINISTRATORS
        host = ", ".join(filter(None, (about.host_name, about.host_address)))
        if host := host or self._gap(_NO_HOST):
            yield _HOST.fill(host=host)
        if location := self.facts.settings.location or self._gap(_NO_LOCATION):
            yield _LOCATION.fill(location=location)
        yield _SUMS_BY_LAW if minimum is None else _SUMS.fill(minimum=minimum)

    def _backups(self) -> Text:
        days = self.facts.settings.backups_kept_days
        if days is not None and self.facts.off_site:
            days += _OFF_SITE_DAYS
        written = length(days, self.language) if days else self._gap(_NO_DAYS)
        return _KEPT_BACKUPS.fill(days=written) if written else _KEPT_BACKUPS_UNTIL

    def _gap(self, words: Text) -> str:
        """Return what the collective has to complete, in a draft."""
        return _GAP.format(words.say(self.language)) if self.is_draft else ""


def _section(title: Text, *paragraphs: Text) -> Iterator[Block]:
    yield _block(BlockKind.SECTION, title)
    for words in paragraphs:
        yield _block(BlockKind.PARAGRAPH, words)


def _block(kind: BlockKind, *words: Text) -> Block:
    return Block(kind, words)
