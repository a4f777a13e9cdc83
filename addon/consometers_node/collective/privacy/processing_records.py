"""The register of processing that a controller keeps (GDPR, article 30), as the database has it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ...permission import DataNeed, State
from ...quoalise import Text, iso8601
from ...quoalise.text import text
from ...series import Direction
from ...sharing import consent_text
from ...sharing.export import Told
from ..permissions import member_permissions
from ..permissions.needs import all_needs

PERSONS = text("Members: households, under a pseudonym; buildings that chose to be named.")
BASIS = text(
    "Consent (GDPR, article 6(1)(a)), given at home for each purpose, withdrawn there at once."
)
SECURITY = text(
    "Encrypted and authenticated transport (XMPP over TLS, certificates checked); a database that"
    " only the node reads; what is erased is overwritten; publication of sums alone, of enough"
    " members; a register of permissions that is never altered, and a log of who read what."
)

_AT_MOST = text("{wanted}, at most {interval}")


@dataclass(frozen=True, slots=True)
class Processing:
    """One thing that is done with what members tell: a data need, as members answered it."""

    need: DataNeed
    since: datetime
    until: datetime | None
    members: int
    kept: int
    """Permissions that have ended, of which records are kept for their time."""

    @property
    def recipients(self) -> Text:
        return Text(self.need.recipients)

    @property
    def data(self) -> Text:
        need = self.need
        wanted = [way for way in Direction if any(one.direction is way for one in need.wanted)]
        return Text(
            {
                tag: _AT_MOST.say(tag).format(
                    wanted=", ".join(consent_text.DIRECTIONS[way].say(tag) for way in wanted),
                    interval=consent_text.INTERVALS[need.interval].say(tag),
                )
                for tag in _AT_MOST.by_language
            }
        )

    def told(self) -> dict[str, Told]:
        need = self.need
        return {
            "need": need.id,
            "version": need.version,
            "title": dict(need.title),
            "controller": need.controller,
            "contact": need.contact,
            "purpose": dict(need.purpose),
            "persons": dict(PERSONS.by_language),
            "data": dict(self.data.by_language),
            "legal_basis": dict(BASIS.by_language),
            "recipients": dict(need.recipients),
            "since": iso8601.shown(self.since),
            "until": None if self.until is None else iso8601.shown(self.until),
            "retention_days": need.retention_days,
            "permissions_granted": self.members,
            "permissions_ended_and_kept": self.kept,
            "security": dict(SECURITY.by_language),
            "policy": need.policy,
        }


async def processing(connection: AsyncConnection) -> list[Processing]:
    """Return all that is, or was, done: each version of each data need."""
    granted: Counter[tuple[str, int]] = Counter()
    kept: Counter[tuple[str, int]] = Counter()
    for one in await member_permissions.all_permissions(connection):
        version = one.need.id, one.need.version
        if one.state is State.GRANTED:
            granted[version] += 1
        elif one.series:
            kept[version] += 1
    return [
        Processing(
            one.need,
            one.offered_at,
            one.closed_at,
            granted[one.need.id, one.need.version],
            kept[one.need.id, one.need.version],
        )
        for one in await all_needs(connection)
    ]
