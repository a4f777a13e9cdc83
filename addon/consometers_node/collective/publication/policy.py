"""The rules of publication in force: those of the file, or an administrator's choice.

A choice counts more than the file, until somebody goes back to it; other rules count from the next
interval that closes, another step from the next civil day on. A choice that cannot be read any more
lets nothing new leave. Nothing is published before an administrator opened the collective.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import product
import json
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from consometers_node.collective.calendar import instants, recent_months
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.permissions import needs
from consometers_node.collective.settings import PublicationSettings
from consometers_node.i18n.text import Text, text
from consometers_node.series import Direction, Interval
from consometers_node.settings_file.schema import BadValue, fill, keys_of, written
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.store.collective.publication import last_closed
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting

FIELDS = {key.name: key for key in keys_of(PublicationSettings)}
"""The keys of a choice, as in the section of the settings file."""
AT_ONCE = date.min
NOT_YET = date.max

_CHOSEN = "publication"
_OPENED = "publication.opened"
_PAST = "publication.past"
_STEP = "publication.step"
_MINIMUM = "minimum"
_EVER = datetime.min.replace(tzinfo=UTC)

_HOURLY = text(
    "“{need}” asks for protected sums, which are of hours: publish hours, or stop asking for it."
)

_UNREADABLE = text(
    "The publication rules cannot be read: nothing new is published. Choose them again."
)
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opening:
    """The first civil day that a collective publishes, who opened it, and when."""

    opens: date
    by: str
    at: datetime

    def since(self, zone: ZoneInfo) -> datetime:
        """Return the instant from which intervals are closed."""
        return max(self.at, datetime.combine(self.opens, time(), zone))


@dataclass(frozen=True, slots=True)
class StepChange:
    """The step of civil days: `before`, and `after` of those that start at `since` or later."""

    before: Interval
    after: Interval
    since: datetime

    def step(self, start: datetime) -> Interval:
        """Return the step of the civil day that starts then."""
        return self.after if start >= self.since else self.before


@dataclass(frozen=True, slots=True)
class Rules:
    """How sums are published, and from which civil day on: never, until it was opened.

    The publication's step is that of the running civil day; `wanted` is the chosen one, and
    `change` when it begins.
    """

    publication: Publication
    opens: date = NOT_YET
    wanted: Interval | None = field(default=None, compare=False)
    change: StepChange | None = field(default=None, compare=False)

    @property
    def chosen(self) -> Rules:
        """The rules with the chosen step, in force or not."""
        step = self.wanted or self.publication.interval
        return Rules(replace(self.publication, interval=step), self.opens)

    @property
    def lacks_plan(self) -> bool:
        """Whether it is still to be decided when the chosen step begins."""
        return self.wanted is not None and (
            self.change is None or self.change.after is not self.wanted
        )

    @property
    def next_step(self) -> StepChange | None:
        """The change of the step that is to come."""
        is_coming = self.change is not None and self.change.after is not self.publication.interval
        return self.change if is_coming else None

    def are_open(self, at: datetime, zone: ZoneInfo) -> bool:
        """Return whether anything is published then."""
        return self.opens <= at.astimezone(zone).date()

    def protect_less(self, before: Rules) -> bool:
        """Return whether rules disclose more: fewer homes for a figure, or a shorter time."""
        own, other = _strictness(self.publication), _strictness(before.publication)
        return any(mine < theirs for mine, theirs in zip(own, other, strict=True))


@dataclass(frozen=True, slots=True)
class ChosenRules:
    """An administrator's choice, and its date."""

    rules: Rules
    by: str
    at: datetime


class BadRules(ValueError):
    """A rule of publication is invalid. `key` is that of the settings file."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class InForce:
    """The rules as last read, for callers that cannot query the database each time."""

    def __init__(self, written: Publication) -> None:
        self.written = written
        self.now = Rules(written)

    async def read(self, connection: AsyncConnection, at: datetime) -> Rules:
        """Return the rules in force at an instant."""
        opening = await opened(connection)
        opens = NOT_YET if opening is None else opening.opens
        try:
            choice = await chosen(connection)
            change = await _step_change(connection)
        except BadRules:
            if self.now.opens != NOT_YET:
                _LOGGER.error(_UNREADABLE)  # noqa: TRY400
            self.now = Rules(self.written, NOT_YET)
        else:
            publication = self.written if choice is None else choice.rules.publication
            step = publication.interval if change is None else change.step(at)
            in_force = replace(publication, interval=step)
            self.now = Rules(in_force, opens, publication.interval, change)
        return self.now

    async def plan(self, connection: AsyncConnection, at: datetime, zone: ZoneInfo) -> Rules:
        """Have the chosen step begin at the next midnight; return the rules in force.

        Where nothing was closed yet, it begins at once.
        """
        rules = await self.read(connection, at)
        if not rules.lacks_plan:
            return rules
        assert rules.wanted is not None
        change = StepChange(rules.wanted, rules.wanted, _EVER)
        ends = await last_closed(connection)
        steps = {start: step for (_, step), start in ends.items() if step is not Interval.P1D}
        if steps:
            before = rules.publication.interval if rules.change else steps[max(steps)]
            midnight = instants(zone.key, at.astimezone(zone).date()).end
            change = StepChange(before, rules.wanted, midnight)
        written = {"before": change.before, "after": change.after}
        stored = json.dumps(written | {"since": change.since.isoformat()})
        await set_setting(connection, _STEP, stored)
        return await self.read(connection, at)


async def objection_to_step(connection: AsyncConnection, publication: Publication) -> Text | None:
    """Return why sums cannot be published at such steps; None if they can."""
    if publication.interval is Interval.PT1H:
        return None
    for need in await needs.offered(connection):
        if need.witness is not None:
            return _HOURLY.fill(need=need.id)
    return None


def read_rules(values: Mapping[str, object], opens: date = NOT_YET) -> Rules:
    """Return rules of these values, within the bounds of the settings file. Raises BadRules."""
    read = {}
    for name, value in values.items():
        if (key := FIELDS.get(name)) is None:
            raise BadRules(name)
        try:
            read[key.name] = key.read(value, Path())
        except BadValue:
            raise BadRules(name) from None
    return Rules(fill(PublicationSettings, read).rules(), opens)


def written_rules(rules: Rules) -> dict[str, Any]:
    """Return the rules as text that `read_rules` reads."""
    settings = PublicationSettings.of(rules.publication)
    values = {name: written(key.value(settings)) for name, key in FIELDS.items()}
    if rules.publication.minimum is None:
        del values[_MINIMUM]
    return values


async def chosen(connection: AsyncConnection) -> ChosenRules | None:
    """Return an administrator's choice; None where the file counts. Raises BadRules."""
    stored = await setting(connection, _CHOSEN)
    if stored is None:
        return None
    try:
        match json.loads(stored):
            case {"rules": dict(values), "by": str(by), "at": str(at)}:
                return ChosenRules(
                    read_rules(values), by, datetime.fromisoformat(at).astimezone(UTC)
                )
            case _:
                pass
    except BadRules:
        raise
    except ValueError:
        pass
    raise BadRules(_CHOSEN)


async def _step_change(connection: AsyncConnection) -> StepChange | None:
    """Return the last change of the step; None before the first choice. Raises BadRules."""
    stored = await setting(connection, _STEP)
    if stored is None:
        return None
    try:
        match json.loads(stored):
            case {"before": str(before), "after": str(after), "since": str(since)}:
                at = datetime.fromisoformat(since).astimezone(UTC)
                return StepChange(Interval(before), Interval(after), at)
            case _:
                pass
    except OverflowError, ValueError:
        pass
    raise BadRules(_STEP)


async def choose(connection: AsyncConnection, rules: Rules, by: str, at: datetime) -> None:
    """Publish by these rules; the access log says who chose them."""
    values = written_rules(rules)
    choice = {"rules": values, "by": by, "at": at.isoformat()}
    await set_setting(connection, _CHOSEN, json.dumps(choice))
    words = [f"{name}={value}" for name, value in values.items()]
    await _note(connection, by, f"publication {' '.join(words)}")
    await open_from(connection, rules.opens, by, at)


async def opened(connection: AsyncConnection) -> Opening | None:
    """Return when the collective was opened, or is going to be; None where it is closed."""
    stored = await setting(connection, _OPENED)
    if stored is None:
        return None
    opening = json.loads(stored)
    return Opening(
        date.fromisoformat(opening["opens"]),
        opening["by"],
        datetime.fromisoformat(opening["at"]).astimezone(UTC),
    )


async def open_from(connection: AsyncConnection, opens: date, by: str, at: datetime) -> None:
    """Publish from a civil day on, or not (`NOT_YET`). Published figures stay published."""
    before = await opened(connection)
    if opens == (NOT_YET if before is None else before.opens):
        return
    if opens != NOT_YET and not await last_closed(connection):
        await leave_past(connection, recent_months(max(opens, at.astimezone(UTC).date())))
    opening = {"opens": opens.isoformat(), "by": by, "at": at.isoformat()}
    await set_setting(connection, _OPENED, None if opens == NOT_YET else json.dumps(opening))
    words = {NOT_YET: "not yet", AT_ONCE: "now"}.get(opens, opens.isoformat())
    await _note(connection, by, f"publication opens={words}")


async def past_left(connection: AsyncConnection) -> date | None:
    """Return the first of the month before which nothing is closed yet, but is to be."""
    stored = await setting(connection, _PAST)
    return None if stored is None else date.fromisoformat(stored)


async def leave_past(connection: AsyncConnection, before: date | None) -> None:
    """Leave what is before a month to be closed later; None once all of it is closed."""
    await set_setting(connection, _PAST, None if before is None else before.isoformat())


async def go_back(connection: AsyncConnection, by: str) -> None:
    """Go back to the rules of the file."""
    await set_setting(connection, _CHOSEN, None)
    await _note(connection, by, "publication as the file says")


async def _note(connection: AsyncConnection, by: str, what: str) -> None:
    await note_read(connection, Read(at=datetime.now(UTC), who=by, what=what))


def _strictness(publication: Publication) -> list[float]:
    """Return numbers of which none may fall, if nothing is to be known that was not before."""
    intervals = (publication.interval, Interval.P1D)
    minima = [publication.needed(*key) for key in product(Direction, intervals)]
    return [
        publication.interval.minutes,
        *(float("inf") if minimum is None else minimum for minimum in minima),
    ]
