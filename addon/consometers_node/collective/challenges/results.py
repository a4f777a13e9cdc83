"""The results of a challenge, from published days of its groups, now and a year before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from consometers_node.collective.calendar import Span
from consometers_node.collective.publication.member_values import WH
from consometers_node.collective.publication.reading.queries import Place, Published
from consometers_node.collective.publication.reading.values import Compared, TimeSlot, is_alike
from consometers_node.i18n.text import Text, text
from consometers_node.series import Direction, Interval
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection

from .comparison import (
    YEAR,
    Comparison,
    DayUse,
    Standing,
    Uses,
    compare,
    knows_half,
    weeks_of,
)
from .register import Challenge

_CLOSED_AFTER = timedelta(days=3)
"""When the last hour of a day is closed, however long a collective waits for homes."""
_OTHERS = 1.25
"""The factor of a large change in the number of homes."""


class State(StrEnum):
    """The stage of a challenge; `CLOSING` until all figures of its last day are there."""

    BEFORE = "before"
    RUNNING = "running"
    CLOSING = "closing"
    ENDED = "ended"


STATES = {
    State.BEFORE: text("not begun", context="a challenge"),
    State.RUNNING: text("running", context="a challenge"),
    State.CLOSING: text("over, last figures awaited"),
    State.ENDED: text("over", context="a challenge"),
}


class Gap(StrEnum):
    """Why a participant is not compared."""

    TOGETHER = "together"
    FEW_WEEKS = "few-weeks"
    NOBODY_ELSE = "nobody-else"

    @property
    def words(self) -> Text:
        """The same for people."""
        return _GAPS[self]


_GAPS = {
    Gap.TOGETHER: text("only published together with other communes"),
    Gap.FEW_WEEKS: text("fewer than half of the weeks are published for both years"),
    Gap.NOBODY_ELSE: text("no week is published for two participants yet"),
}


class Outcome(StrEnum):
    """Whether an objective is reached, and whether the interval leaves a doubt."""

    REACHED = "reached"
    REACHED_WITHIN_MARGIN = "reached-within-margin"
    MISSED_WITHIN_MARGIN = "missed-within-margin"
    MISSED = "missed"

    @property
    def is_reached(self) -> bool:
        """Whether the change is as large as the objective, with or without a doubt."""
        return self in {Outcome.REACHED, Outcome.REACHED_WITHIN_MARGIN}

    @property
    def words(self) -> Text:
        """The same for people."""
        return _OUTCOMES[self]


_OUTCOMES = {
    Outcome.REACHED: text("objective reached"),
    Outcome.REACHED_WITHIN_MARGIN: text("objective reached, within the margin"),
    Outcome.MISSED_WITHIN_MARGIN: text("objective not reached, within the margin"),
    Outcome.MISSED: text("objective not reached"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A group in a challenge, and its place among the others; `gap` says why it has none.

    `homes` and `homes_before` are how many members its figures sum, now and a year before.
    """

    place: Place
    standing: Standing | None
    outcome: Outcome | None
    gap: Gap | None
    homes: int
    homes_before: int
    are_homes: bool

    @property
    def has_changed(self) -> bool:
        """Whether the number of homes changed a lot."""
        fewer, more = sorted((self.homes, self.homes_before))
        return fewer > 0 and more > fewer * _OTHERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The results of a challenge: comparable participants first, the largest saving before all."""

    challenge: Challenge
    state: State
    comparison: Comparison
    participants: Sequence[Participant]
    hidden: int
    """How many participants are no longer shown."""
    weeks_over: int
    weeks: int

    @property
    def compared(self) -> Sequence[Participant]:
        """Participants with a place."""
        return [each for each in self.participants if each.standing is not None]

    @property
    def left_out(self) -> Sequence[Participant]:
        """Participants without a place."""
        return [each for each in self.participants if each.standing is None]

    @property
    def leaders(self) -> Sequence[Participant]:
        """Participants that may be first."""
        return [each for each in self.compared if each.standing and each.standing.first == 1]

    def named(self, slug: str) -> Participant | None:
        """Return the participant of an address."""
        return next((each for each in self.participants if each.place.slug == slug), None)


def state_of(challenge: Challenge, today: date) -> State:
    """Return the stage of a challenge on a day."""
    if today < challenge.first_day:
        return State.BEFORE
    if today <= challenge.last_day:
        return State.RUNNING
    return State.CLOSING if today < challenge.last_day + _CLOSED_AFTER else State.ENDED


async def result(
    connection: AsyncConnection, published: Published, challenge: Challenge, now: datetime
) -> Result:
    """Return the results of a challenge at a moment."""
    today = now.astimezone(published.time_zone).date()
    places = {place.id: place for place in (await published.places(connection)).values()}
    shown = {
        place.slug: place
        for group in challenge.participants
        if (place := places.get(group)) is not None
    }
    days = {
        slug: await _days(connection, published, place, challenge, now)
        for slug, place in shown.items()
    }
    weeks = weeks_of(challenge.span)
    over = [week for week in weeks if week.last < today]
    comparison = compare({slug: each.uses for slug, each in days.items()}, over)
    participants = []
    for slug, place in shown.items():
        standing = comparison.standings.get(slug)
        participants.append(
            Participant(
                place=place,
                standing=standing,
                outcome=outcome(standing, challenge.objective) if standing else None,
                gap=_gap(place, days[slug], over) if standing is None and over else None,
                homes=days[slug].homes,
                homes_before=days[slug].homes_before,
                are_homes=days[slug].are_homes and place.kind is not GroupKind.SITE,
            )
        )
    order = {slug: n for n, slug in enumerate(comparison.standings)}
    participants.sort(
        key=lambda each: (order.get(each.place.slug, len(order)), each.place.title.say())
    )
    return Result(
        challenge=challenge,
        state=state_of(challenge, today),
        comparison=comparison,
        participants=participants,
        hidden=len(challenge.participants) - len(shown),
        weeks_over=len(over),
        weeks=len(weeks),
    )


@dataclass(frozen=True, slots=True)
class _Days:
    """Days of a group that are published in both years."""

    uses: Uses
    homes: int = 0
    homes_before: int = 0
    are_homes: bool = True


async def _days(
    connection: AsyncConnection,
    published: Published,
    place: Place,
    challenge: Challenge,
    now: datetime,
) -> _Days:
    span = challenge.span
    is_site = place.kind is GroupKind.SITE
    directions = tuple(Direction) if is_site else (Direction.CONSUMPTION,)
    slots, before = [
        await published.slots(connection, place, Interval.P1D, days, now, directions=directions)
        for days in (span, Span(span.first - YEAR, span.last - YEAR))
    ]
    earlier = {slot.start.date() + YEAR: slot for slot in before}
    makes = any(Direction.PRODUCTION in slot.cells for slot in slots)
    uses: dict[date, DayUse] = {}
    homes = homes_before = 0
    are_homes = True
    for slot in slots:
        other = earlier.get(slot.start.date())
        use = other and (_site_use(slot, other) if makes else _use_per_home(slot, other))
        if not other or not use:
            continue
        uses[slot.start.date()] = use
        cell, then = slot.cell(Direction.CONSUMPTION), other.cell(Direction.CONSUMPTION)
        assert cell is not None
        assert then is not None
        homes = max(homes, cell.homes or cell.members)
        homes_before = max(homes_before, then.homes or then.members)
        are_homes &= bool(cell.homes)
    return _Days(uses, homes, homes_before, are_homes)


def _use_per_home(slot: TimeSlot, other: TimeSlot) -> DayUse | None:
    """Return a home's consumption, where both days are published alike; else a member's."""
    cell, then = slot.cell(Direction.CONSUMPTION), other.cell(Direction.CONSUMPTION)
    if cell is None or then is None or not is_alike(slot, other, Direction.CONSUMPTION):
        return None
    if cell.without or bool(cell.homes) is not bool(then.homes):
        return None
    return DayUse(cell.average / WH, then.average / WH)


def _site_use(slot: TimeSlot, other: TimeSlot) -> DayUse | None:
    """Return all that a building with panels used, from them and from the grid."""
    compared = Compared.of([slot], [other], lambda _: None)
    if compared is None:
        return None
    now, before = compared.now["total-consumption"].wh, compared.then["total-consumption"].wh
    return None if now is None or before is None else DayUse(now, before)


def _gap(place: Place, days: _Days, over: Sequence[Span]) -> Gap:
    """Return why a participant has no place, once weeks are over."""
    if place.is_together or (place.together and not days.uses):
        return Gap.TOGETHER
    return Gap.NOBODY_ELSE if knows_half(days.uses, over) else Gap.FEW_WEEKS


def outcome(standing: Standing, objective: float) -> Outcome | None:
    """Return whether an objective is reached; None while there are too few weeks."""
    if standing.low is None or standing.high is None:
        return None
    if standing.change <= objective:
        certain = standing.high <= objective
        return Outcome.REACHED if certain else Outcome.REACHED_WITHIN_MARGIN
    certain = standing.low > objective
    return Outcome.MISSED if certain else Outcome.MISSED_WITHIN_MARGIN
