"""The data policy of a collective (GDPR, articles 13 and 14), drafted of what the node knows.

It is Markdown. The collective completes what stands in brackets, and publishes it.
"""

from collections.abc import Iterator, Sequence

from ...quoalise import Text
from ...quoalise.text import printed, text
from ...sharing.consent_text import length
from ..disclosure.sdc_rules import Agreed, Publication
from ..privacy_notice import retention
from ..settings import Settings
from .processing_records import BASIS, SECURITY, Processing

_OFF_SITE_DAYS = 2
"""The copy off the site is removed so much later."""

_TITLE = text("# Data policy of {name}")
_DRAFT = text(
    "> This draft holds what the node knows. Complete what stands in [brackets], read the rest with"
    " the members who answer for it, publish it at the address that your data requests name, and"
    " remove this paragraph. Make a new draft when you ask for something else."
)
_CONTROLLER = text("## Who is responsible")
_IDENTITY = text(
    "{controller} [legal form, registration number, postal address]. Contact for all questions"
    " about your data: {contact}. [Data protection officer, if there is one.]"
)
_NOBODY = text("[name of the collective] [legal form, registration number, postal address].")
_PURPOSES = text("## What for, and which data")
_NO_NEED = text("[Nothing is asked for yet: make this draft again after your first data request.]")
_PURPOSE = text("""### {title}

{purpose}

- Data: {data}.
- Kept: {retention}.
- Other recipients: {recipients}.""")
_NO_RECIPIENT = text("nobody")
_SOURCE = text(
    "The data come from your own Home Assistant, under a pseudonym; we obtain nothing from the"
    " network operator. You also give us the address of your node and, if you like, your commune."
    " Nobody is obliged to provide them, and nothing else depends on it. No decision about you is"
    " made by a program."
)
_LEGAL = text("## Legal basis")
_WITHDRAWAL = text(
    "You withdraw on the page of your own node, at any time, as easily as you agreed: nothing more"
    " is sent, and what we received is erased at once, unless you let us keep it for the time"
    " above. What was done before stays lawful. We keep a record of permissions given and"
    " withdrawn, and of who read your data, because the law obliges us to prove both (articles"
    " 5(2) and 7(1))."
)
_RECIPIENTS = text("## Who sees the data")
_INSIDE = text(
    "- Our administrators: [names or functions]. Each access to your data is logged.\n"
    "- Our host, on our behalf: [name and address of the host]. Location: {location}. Nothing is"
    " transferred outside the European Union. [Check this.]"
)
_NO_LOCATION = text("[city and country]")
_SUMS = text(
    "- The public: sums of at least {minimum} homes, in which no home can be recognised. What was"
    " published stays published."
)
_SUMS_BY_LAW = text(
    "- The public: sums of at least as many homes as the law requires, in which no home can be"
    " recognised. What was published stays published."
)
_RETENTION = text("## How long")
_KEPT = text(
    "- Your data: as stated above for each purpose.\n"
    "- Backups: what was erased stays in them for up to {days} more. If one is put back, what was"
    " erased since is erased again.\n"
    "- The log of accesses: one year. The record of permissions: [as long as the collective"
    " exists]; after an erasure, it names nobody."
)
_NO_DAYS = text("[number of days]")
_SECURITY = text("## Security")
_RIGHTS = text("## Your rights")
_RIGHTS_ARE = text(
    "You may see your data, receive them in a usable format, have them corrected or erased, have"
    " their use restricted, and withdraw your consent. The page of your node does most of this at"
    " once; otherwise write to {contact}. We answer within a month.\n\nYou may complain to the"
    " supervisory authority. In France: CNIL, 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex"
    " 07, [www.cnil.fr](https://www.cnil.fr/)."
)
_CONTACT = text("[e-mail address]")


def draft(
    records: Sequence[Processing],
    settings: Settings,
    publication: Publication,
    language: str,
    *,
    off_site: bool,
) -> str:
    """Return a data policy in Markdown, of what is asked for now. `off_site`: so are backups."""
    paragraphs = _draft(records, settings, publication, language, off_site)
    return "\n\n".join(printed(words, language) for words in paragraphs) + "\n"


def _draft(
    records: Sequence[Processing],
    settings: Settings,
    publication: Publication,
    language: str,
    off_site: bool,
) -> Iterator[Text]:
    needs = [record.need for record in records]
    contacts = ", ".join(dict.fromkeys(need.contact for need in needs))
    contact = contacts or _CONTACT.say(language)
    yield _TITLE.fill(name=settings.name)
    yield _DRAFT
    yield _CONTROLLER
    controllers = ", ".join(dict.fromkeys(need.controller for need in needs))
    yield _IDENTITY.fill(controller=controllers, contact=contact) if needs else _NOBODY
    yield _PURPOSES
    for record in records:
        recipients = record.recipients.say(language).rstrip(".")
        yield _PURPOSE.fill(
            title=Text(record.need.title).say(language),
            purpose=Text(record.need.purpose).say(language),
            data=record.data.say(language),
            retention=retention(record.need).say(language),
            recipients=recipients or _NO_RECIPIENT.say(language),
        )
    if not needs:
        yield _NO_NEED
    yield _SOURCE
    yield _LEGAL
    yield BASIS
    yield _WITHDRAWAL
    yield _RECIPIENTS
    yield _INSIDE.fill(location=settings.location or _NO_LOCATION.say(language))
    basis = publication.basis
    yield _SUMS.fill(minimum=basis.minimum) if isinstance(basis, Agreed) else _SUMS_BY_LAW
    yield _RETENTION
    days = settings.backups_kept_days
    if days is not None and off_site:
        days += _OFF_SITE_DAYS
    yield _KEPT.fill(days=length(days, language) if days else _NO_DAYS.say(language))
    yield _SECURITY
    yield SECURITY
    yield _RIGHTS
    yield _RIGHTS_ARE.fill(contact=contact)
