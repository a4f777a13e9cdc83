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
from ..permissions import member_permissions
from ..permissions.needs import all_needs
from .export import values

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

_AT_MOST = text("{wanted}, at most {interval}")
_MASKED = text("{wanted}, each hour, masked: sums alone can be opened, together with {witness}")


@dataclass(frozen=True, slots=True)
class Processing:
    """One processing of members' records: a data need, as members answered it."""

    need: DataNeed
    since: datetime
    until: datetime | None
    members: int
    ended: int
    """Permissions that have ended, of which records are kept for their time."""

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


def data_of(need: DataNeed) -> Text:
    """Return which data are asked for."""
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


async def processing(connection: AsyncConnection) -> list[Processing]:
    """Return every processing that there is, or was: each version of each data need."""
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
