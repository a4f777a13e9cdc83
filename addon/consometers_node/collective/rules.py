"""The rules by which sums are published now: those of the file, or what an administrator chose.

A choice counts more than the file, until somebody goes back to it. What was released stays. A
choice that cannot be read any more lets nothing new leave.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product
import json
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval
from ..store.releases import look_at_withheld
from ..store.settings import set_setting, setting
from .disclosure import Agreed, Publication
from .keys import KEYS, Basis, Wrong
from .reads import Read, note_read
from .settings import publication

AT_ONCE = date.min
NOT_YET = date.max

_CHOSEN = "publication"
_TAKEN_UP = "publication.taken_up"
_SECTION = "publication."

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """How sums are published, and from which civil day on anything is released.

    Before that day nothing is; then whatever the members have told by then may be.
    """

    publication: Publication
    opens: date = AT_ONCE

    def are_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Tell whether anything may be released then."""
        return self.opens <= at.astimezone(zone).date()

    def protect_less(self, before: Rules) -> bool:
        """Tell whether fewer homes are enough than before for anything, or a shorter time."""
        own, other = _strictness(self.publication), _strictness(before.publication)
        return any(mine < theirs for mine, theirs in zip(own, other, strict=True))


@dataclass(frozen=True, slots=True)
class Choice:
    """What an administrator chose, and when."""

    rules: Rules
    by: str
    at: datetime


class BadRules(ValueError):
    """What is told is no rule of publication. `key` is that of the settings file."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class InForce:
    """The rules as they were last read, for whoever cannot ask the database each time."""

    def __init__(self, written: Publication) -> None:
        """Begin with those of the file."""
        self.written = written
        self.now = Rules(written)

    async def read(self, connection: AsyncConnection) -> Rules:
        """Read them anew."""
        try:
            found = await chosen(connection)
        except BadRules:
            if self.now.opens != NOT_YET:
                _LOGGER.error("what was chosen of the publication cannot be read: choose it anew")  # noqa: TRY400
            self.now = Rules(self.written, NOT_YET)
        else:
            self.now = Rules(self.written) if found is None else found.rules
        return self.now


def read_rules(told: dict[str, object], opens: date = AT_ONCE) -> Rules:
    """Give rules of what is told, within the bounds of the settings file. Raises BadRules."""
    found = {}
    for key, value in told.items():
        if (known := KEYS.get(_SECTION + key)) is None:
            raise BadRules(key)
        try:
            found[known.name] = known.read(value, Path())
        except Wrong:
            raise BadRules(key) from None
    return Rules(publication(found), opens)


def written_rules(rules: Rules) -> dict[str, Any]:
    """Give what `read_rules` reads."""
    of = rules.publication
    basis: dict[str, Any] = {"basis": Basis.LAW.value}
    if isinstance(of.basis, Agreed):
        basis = {"basis": Basis.AGREED.value, "minimum": of.basis.minimum}
    minutes = int(of.wait.total_seconds() // 60)
    return {**basis, "interval": of.interval.value, "wait_minutes": minutes}


async def chosen(connection: AsyncConnection) -> Choice | None:
    """Give what an administrator chose; None where the file says it. Raises BadRules."""
    kept = await setting(connection, _CHOSEN)
    if kept is None:
        return None
    try:
        match json.loads(kept):
            case {"rules": dict(told), "opens": str(opens), "by": str(by), "at": str(at)}:
                rules = read_rules(told, date.fromisoformat(opens))
                return Choice(rules, by, datetime.fromisoformat(at).astimezone(UTC))
    except BadRules:
        raise
    except ValueError:
        pass
    raise BadRules(_CHOSEN)


async def choose(connection: AsyncConnection, rules: Rules, by: str, at: datetime) -> None:
    """Publish by these rules from now on, whatever the file says; it is written down who chose."""
    told = written_rules(rules)
    kept = {"rules": told, "opens": rules.opens.isoformat(), "by": by, "at": at.isoformat()}
    await set_setting(connection, _CHOSEN, json.dumps(kept))
    words = [f"{key}={value}" for key, value in told.items()]
    if rules.opens != AT_ONCE:
        words.append(f"opens={'not yet' if rules.opens == NOT_YET else rules.opens}")
    await _note(connection, by, f"publication {' '.join(words)}")


async def go_back(connection: AsyncConnection, by: str) -> None:
    """Publish by what the file says again."""
    await set_setting(connection, _CHOSEN, None)
    await _note(connection, by, "publication as the file says")


async def _note(connection: AsyncConnection, by: str, what: str) -> None:
    await note_read(connection, Read(at=datetime.now(UTC), who=by, what=what))


async def take_up(connection: AsyncConnection, of: Publication, at: datetime) -> None:
    """Look again at what is withheld if this is not how it was looked at before."""
    said = json.dumps(written_rules(Rules(of)))
    before = await setting(connection, _TAKEN_UP)
    if before == said:
        return
    if before is not None:
        await look_at_withheld(connection, of.interval, at)
        _LOGGER.info("sums are published by other rules from now on")
    await set_setting(connection, _TAKEN_UP, said)


def _strictness(of: Publication) -> list[float]:
    """Give numbers of which none may fall, if nothing is to be known that was not before."""
    needs = [of.needed(*one) for one in product(Direction, (of.interval, Interval.P1D))]
    return [of.interval.minutes, *(float("inf") if need is None else need for need in needs)]
