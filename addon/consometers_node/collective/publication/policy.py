"""The rules by which sums are published now: those of the file, or what an administrator chose.

A choice counts more than the file, until somebody goes back to it; other rules count from the next
interval that closes. A choice that cannot be read any more lets nothing new leave. Nothing is
published before an administrator opened the collective.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
import json
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from ...series import Direction, Interval
from ...store.settings import set_setting, setting
from ..access_log import Read, note_read
from ..disclosure.sdc_rules import Agreed, Publication
from ..settings import publication
from ..settings_schema import KEYS, BadValue, Basis

AT_ONCE = date.min
NOT_YET = date.max

_CHOSEN = "publication"
_OPENED = "publication.opened"
_SECTION = "publication."

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opening:
    """From which civil day on a collective publishes, who opened it, and when."""

    opens: date
    by: str
    at: datetime

    def since(self, zone: ZoneInfo) -> datetime:
        """Return the instant from which on intervals are closed."""
        return max(self.at, datetime.combine(self.opens, time(), zone))


@dataclass(frozen=True, slots=True)
class Rules:
    """How sums are published, and from which civil day on: never, until it was opened."""

    publication: Publication
    opens: date = NOT_YET

    def are_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Return whether anything is published then."""
        return self.opens <= at.astimezone(zone).date()

    def protect_less(self, before: Rules) -> bool:
        """Return whether fewer homes are enough than before for anything, or a shorter time."""
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
        self.written = written
        self.now = Rules(written)

    async def read(self, connection: AsyncConnection) -> Rules:
        opening = await opened(connection)
        opens = NOT_YET if opening is None else opening.opens
        try:
            found = await chosen(connection)
        except BadRules:
            if self.now.opens != NOT_YET:
                _LOGGER.error("what was chosen of the publication cannot be read: choose it again")  # noqa: TRY400
            self.now = Rules(self.written, NOT_YET)
        else:
            self.now = Rules(self.written if found is None else found.rules.publication, opens)
        return self.now


def read_rules(told: dict[str, object], opens: date = NOT_YET) -> Rules:
    """Return rules of what is told, within the bounds of the settings file. Raises BadRules."""
    found = {}
    for key, value in told.items():
        if (known := KEYS.get(_SECTION + key)) is None:
            raise BadRules(key)
        try:
            found[known.name] = known.read(value, Path())
        except BadValue:
            raise BadRules(key) from None
    return Rules(publication(found), opens)


def written_rules(rules: Rules) -> dict[str, Any]:
    """Return what `read_rules` reads."""
    of = rules.publication
    basis: dict[str, Any] = {"basis": Basis.LAW.value}
    if isinstance(of.basis, Agreed):
        basis = {"basis": Basis.AGREED.value, "minimum": of.basis.minimum}
    return {
        **basis,
        "interval": of.interval.value,
        "wait_minutes": _minutes(of.wait),
        "longest_wait_minutes": _minutes(of.longest_wait),
    }


async def chosen(connection: AsyncConnection) -> Choice | None:
    """Return what an administrator chose; None where the file says it. Raises BadRules."""
    kept = await setting(connection, _CHOSEN)
    if kept is None:
        return None
    try:
        match json.loads(kept):
            case {"rules": dict(told), "by": str(by), "at": str(at)}:
                return Choice(read_rules(told), by, datetime.fromisoformat(at).astimezone(UTC))
    except BadRules:
        raise
    except ValueError:
        pass
    raise BadRules(_CHOSEN)


async def choose(connection: AsyncConnection, rules: Rules, by: str, at: datetime) -> None:
    """Publish by these rules from the next interval on; the access log says who chose them."""
    told = written_rules(rules)
    kept = {"rules": told, "by": by, "at": at.isoformat()}
    await set_setting(connection, _CHOSEN, json.dumps(kept))
    words = [f"{key}={value}" for key, value in told.items()]
    await _note(connection, by, f"publication {' '.join(words)}")
    await open_from(connection, rules.opens, by, at)


async def opened(connection: AsyncConnection) -> Opening | None:
    """Return when the collective was opened, or is going to be; None where it is closed."""
    kept = await setting(connection, _OPENED)
    if kept is None:
        return None
    said = json.loads(kept)
    return Opening(
        date.fromisoformat(said["opens"]),
        said["by"],
        datetime.fromisoformat(said["at"]).astimezone(UTC),
    )


async def open_from(connection: AsyncConnection, opens: date, by: str, at: datetime) -> None:
    """Publish from a civil day on, or not (`NOT_YET`). What was published stays published."""
    known = await opened(connection)
    if opens == (NOT_YET if known is None else known.opens):
        return
    said = None
    if opens != NOT_YET:
        said = json.dumps({"opens": opens.isoformat(), "by": by, "at": at.isoformat()})
    await set_setting(connection, _OPENED, said)
    words = "not yet" if opens == NOT_YET else "now" if opens == AT_ONCE else opens.isoformat()
    await _note(connection, by, f"publication opens={words}")


async def go_back(connection: AsyncConnection, by: str) -> None:
    """Publish by what the file says again."""
    await set_setting(connection, _CHOSEN, None)
    await _note(connection, by, "publication as the file says")


async def _note(connection: AsyncConnection, by: str, what: str) -> None:
    await note_read(connection, Read(at=datetime.now(UTC), who=by, what=what))


def _minutes(wait: timedelta) -> int:
    return int(wait.total_seconds() // 60)


def _strictness(of: Publication) -> list[float]:
    """Return numbers of which none may fall, if nothing is to be known that was not before."""
    needs = [of.needed(*one) for one in product(Direction, (of.interval, Interval.P1D))]
    return [of.interval.minutes, *(float("inf") if need is None else need for need in needs)]
