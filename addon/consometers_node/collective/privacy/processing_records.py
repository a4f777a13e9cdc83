"""The register of processing that a controller keeps (GDPR, article 30), as the database has it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from ...permission import DataNeed, State
from ...quoalise import Text
from ...quoalise.text import text
from ...sharing import consent_text
from ...sharing.export import Json
from ...store.connection import AsyncConnection
from ..about import load_about
from ..permissions import member_permissions
from ..permissions.needs import all_needs
from ..settings import Settings
from ..witness.register import DEPARTED_FOR, Witnessed, overview
from .export import plain, values

PERSONS = text("Members: households, under a pseudonym; buildings that chose to be named.")
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
    "To open totals of enough homes, once per hour, together with {collective}: neither can read a"
    " home alone."
)
_WITNESS_PERSONS = text("Homes of that collective, under a pseudonym.")
_WITNESS_DATA = text(
    "A pseudonym, what the home was promised, its keys of the last 35 days, and which of its hours"
    " were opened; no record."
)
_WITNESS_RECIPIENTS = text(
    "{collective}: totals of enough homes. The home: which of its hours were opened."
)

_AT_MOST = text("{wanted}, at most {interval}")
_MASKED = text("{wanted}, each hour, masked: sums alone can be opened, together with {witness}")


@dataclass(frozen=True, slots=True)
class Processing:
    """One processing of members' records: a data need, with members' answers."""

    need: DataNeed
    since: datetime
    until: datetime | None
    members: int
    ended: int
    """Ended permissions, whose records stay for their retention."""

    @property
    def recipients(self) -> Text:
        return Text(self.need.recipients)

    @property
    def data(self) -> Text:
        return data_of(self.need)

    def document(self) -> dict[str, Json]:
        need = self.need
        return {
            "need": need.id,
            **values(need, "version", "title", "controller", "contact", "purpose"),
            "persons": dict(PERSONS.by_language),
            "data": dict(self.data.by_language),
            "legal_basis": dict(BASIS.by_language),
            "recipients": dict(need.recipients),
            **values(self, "since", "until"),
            "retention_days": need.retention_days,
            "permissions_granted": self.members,
            "permissions_ended_and_kept": self.ended,
            "security": dict(SECURITY.by_language),
            "policy": need.policy,
        }


@dataclass(frozen=True, slots=True)
class WitnessProcessing:
    """This node's processing as the witness of a collective: see `witness.register`."""

    witnessed: Witnessed
    controller: str
    contact: str

    @property
    def title(self) -> Text:
        return _WITNESS.fill(collective=self.witnessed.collective)

    @property
    def purpose(self) -> Text:
        return _WITNESS_PURPOSE.fill(collective=self.witnessed.collective)

    @property
    def persons(self) -> Text:
        return _WITNESS_PERSONS

    @property
    def data(self) -> Text:
        return _WITNESS_DATA

    @property
    def recipients(self) -> Text:
        return _WITNESS_RECIPIENTS.fill(collective=self.witnessed.collective)

    @property
    def retention_days(self) -> int:
        """How long a departed home's pseudonym stays: its key goes at once."""
        return DEPARTED_FOR.days

    def document(self) -> dict[str, Json]:
        texts = ("title", "purpose", "persons", "data", "recipients")
        words: dict[str, Json] = {name: dict(getattr(self, name).by_language) for name in texts}
        return {
            "need": "",
            "version": None,
            "title": words["title"],
            **values(self, "controller", "contact"),
            **{name: words[name] for name in ("purpose", "persons", "data")},
            "legal_basis": dict(BASIS.by_language),
            "recipients": words["recipients"],
            "since": plain(self.witnessed.since),
            "until": None,
            "retention_days": self.retention_days,
            "permissions_granted": self.witnessed.homes,
            "permissions_ended_and_kept": self.witnessed.departed,
            "security": dict(SECURITY.by_language),
            "policy": "",
        }


def data_of(need: DataNeed) -> Text:
    """Return the requested data."""
    words = _AT_MOST if need.witness is None else _MASKED
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


async def witness_processing(
    connection: AsyncConnection, settings: Settings, at: datetime
) -> list[WitnessProcessing]:
    """Return this node's processing as a witness, for each collective with enrolled homes."""
    about = await load_about(connection, settings.about)
    controller = about.legal_name or settings.name
    return [
        WitnessProcessing(witnessed, controller, about.mail or "")
        for witnessed in await overview(connection, settings.witness_for, at)
        if witnessed.since is not None
    ]


async def processing(connection: AsyncConnection) -> list[Processing]:
    """Return every processing, past or present: each version of each data need."""
    counts: Counter[tuple[str, int, bool]] = Counter()
    for permission in await member_permissions.all_permissions(connection):
        is_granted = permission.state is State.GRANTED
        if is_granted or permission.series:
            counts[permission.need.id, permission.need.version, is_granted] += 1
    return [
        Processing(
            version.need,
            version.offered_at,
            version.closed_at,
            counts[version.need.id, version.need.version, True],
            counts[version.need.id, version.need.version, False],
        )
        for version in await all_needs(connection)
    ]
