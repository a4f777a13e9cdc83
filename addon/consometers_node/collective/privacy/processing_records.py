"""The register of processing that a controller keeps (GDPR, article 30), as the database has it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from consometers_node.collective.about import load_about
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.needs import all_needs
from consometers_node.collective.settings import Settings
from consometers_node.collective.witness.register import DEPARTED_FOR, overview
from consometers_node.i18n.text import Text, text
from consometers_node.permission import DataNeed, State
from consometers_node.sharing import consent_text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.personal import Json

from .export import plain, values

PERSONS = text(
    "Members: households, under a pseudonym, and a name where administrators noted one; buildings"
    " that chose to be named."
)
BASIS = text(
    "Consent (GDPR, article 6(1)(a)), given at home for each purpose; withdrawal takes effect at"
    " once."
)
SECURITY = text(
    "Encrypted and authenticated transport (XMPP over TLS, certificates checked); a database"
    " that only the node reads; overwriting of erased data; publication of sums of enough"
    " members only; an unalterable register of permissions, and an access log."
)

_WITNESS = text("Witness of {collective}")
_WITNESS_PURPOSE = text(
    "To open totals of enough homes, once per hour, together with {collective}, which cannot read a"
    " home alone."
)
_WITNESS_PERSONS = text(
    "Homes of that collective, under a pseudonym; each enrols by a code given to its household."
)
_WITNESS_DATA = text(
    "A pseudonym, the number of the code that the household received, what the home was promised,"
    " its keys of the last 35 days, and which of its hours were opened; no record."
)
_WITNESS_RECIPIENTS = text(
    "{collective}: totals of enough homes. The home: which of its hours were opened."
)

_AT_MOST = text("{wanted}, at most {interval}")
_WITH_SUBSCRIBED = text(
    "{wanted}, at most {interval}; the subscribed power of the meter (kVA), if it says it, to set"
    " aside records that exceed it"
)
_MASKED = text("{wanted}, each hour, masked: sums alone can be opened, together with {witness}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """One processing of personal data: for a data need, or as the witness of a collective.

    The latter has no `need`, `version` and `policy`. `ended` permissions are those whose records
    stay for their retention; a witness counts its homes.
    """

    need: str = ""
    version: int | None = None
    title: Text
    controller: str
    contact: str
    purpose: Text
    persons: Text = PERSONS
    data: Text
    recipients: Text
    since: datetime
    until: datetime | None = None
    retention_days: int
    granted: int
    ended: int
    policy: str = ""

    def document(self) -> dict[str, Json]:
        return {
            **values(self, "need", "version", "title", "controller", "contact", "purpose"),
            **values(self, "persons", "data"),
            "legal_basis": plain(BASIS),
            **values(self, "recipients", "since", "until", "retention_days"),
            "permissions_granted": self.granted,
            "permissions_ended_and_kept": self.ended,
            "security": plain(SECURITY),
            "policy": self.policy,
        }


def data_of(need: DataNeed) -> Text:
    """Return the requested data."""
    words = _AT_MOST if need.witness is None else _MASKED
    if need.has_subscribed:
        words = _WITH_SUBSCRIBED
    return Text(
        {
            tag: words.say(tag).format(
                witness=need.witness and need.witness.name,
                wanted=", ".join(consent_text.DIRECTIONS[way].say(tag) for way in need.directions),
                interval=consent_text.INTERVALS[need.interval].say(tag),
            )
            for tag in _AT_MOST.by_language
        }
    )


async def processing(
    connection: AsyncConnection, settings: Settings, at: datetime
) -> list[Processing]:
    """Return every processing, past or present: of data needs, then as a witness."""
    counts: Counter[tuple[str, int, bool]] = Counter()
    for permission in await member_permissions.all_permissions(connection):
        is_granted = permission.state is State.GRANTED
        if is_granted or permission.series:
            counts[permission.need.id, permission.need.version, is_granted] += 1
    own = [
        Processing(
            need=need.id,
            version=need.version,
            title=Text(need.title),
            controller=need.controller,
            contact=need.contact,
            purpose=Text(need.purpose),
            data=data_of(need),
            recipients=Text(need.recipients),
            since=version.offered_at,
            until=version.closed_at,
            retention_days=need.retention_days,
            granted=counts[need.id, need.version, True],
            ended=counts[need.id, need.version, False],
            policy=need.policy,
        )
        for version in await all_needs(connection)
        for need in (version.need,)
    ]
    about = await load_about(connection, settings.about)
    return own + [
        Processing(
            title=_WITNESS.fill(collective=witnessed.collective),
            controller=about.legal_name or settings.name,
            contact=about.mail or "",
            purpose=_WITNESS_PURPOSE.fill(collective=witnessed.collective),
            persons=_WITNESS_PERSONS,
            data=_WITNESS_DATA,
            recipients=_WITNESS_RECIPIENTS.fill(collective=witnessed.collective),
            since=witnessed.since,
            # A departed home's pseudonym stays; its key goes at once.
            retention_days=DEPARTED_FOR.days,
            granted=witnessed.homes,
            ended=witnessed.departed,
        )
        for witnessed in await overview(connection, settings.witness_for, at)
        if witnessed.since is not None
    ]
