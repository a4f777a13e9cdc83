"""The challenge that each member reads: the one in which its group takes part."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from consometers_node.collective.members.members import Member, MemberKind
from consometers_node.collective.publication.reading.queries import AREAS, Place, Published
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise import Challenge as Said, Change

from .comparison import Standing
from .register import all_challenges
from .results import Result, State, result, state_of

_SHOWN_AFTER = timedelta(days=14)
"""How long after its end members read a challenge."""


class CurrentChallenges:
    """Current challenges, computed once an hour: all members of a commune read the same."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._ids: frozenset[object] = frozenset()
        self._results: Sequence[Result] = ()

    async def of_member(
        self, connection: AsyncConnection, published: Published, member: Member, now: datetime
    ) -> Said | None:
        """Return the challenge of a member's group; of several, the one that ends last."""
        for seen in await self._current(connection, published, now):
            for participant in seen.participants:
                if _is_of(participant.place, member):
                    return _said(seen, participant.place, participant.standing)
        return None

    async def _current(
        self, connection: AsyncConnection, published: Published, now: datetime
    ) -> Sequence[Result]:
        today = now.astimezone(published.time_zone).date()
        challenges = [
            challenge
            for challenge in await all_challenges(connection)
            if state_of(challenge, today) is not State.BEFORE
            and today <= challenge.last_day + _SHOWN_AFTER
        ]
        hour = now.replace(minute=0, second=0, microsecond=0)
        ids = frozenset(challenges)
        if (hour, ids) != (self._at, self._ids):
            self._results = [
                await result(connection, published, challenge, now)
                for challenge in sorted(
                    challenges, key=lambda challenge: challenge.last_day, reverse=True
                )
            ]
            self._at, self._ids = hour, ids
        return self._results


def _is_of(place: Place, member: Member) -> bool:
    """Return whether a group is a member's commune, or the member itself as a site."""
    if member.kind is MemberKind.SITE:
        return place.kind is GroupKind.SITE and place.name == member.name
    return place.kind in AREAS and (member.area or "") in (place.parts or (place.name,))


def _said(seen: Result, place: Place, standing: Standing | None) -> Said:
    challenge = seen.challenge
    return Said(
        name_fr=challenge.name_fr,
        name_en=challenge.name_en,
        first_day=challenge.first_day,
        last_day=challenge.last_day,
        objective=challenge.objective_percent,
        participant=place.title.say("fr"),
        participants=len(seen.participants),
        standing=_change(standing),
    )


def _change(standing: Standing | None) -> Change | None:
    if standing is None or standing.low is None or standing.high is None:
        return None
    assert standing.first is not None
    assert standing.last is not None
    return Change(
        change=_percent(standing.change),
        low=_percent(standing.low),
        high=_percent(standing.high),
        rank_first=standing.first,
        rank_last=standing.last,
    )


def _percent(change: float) -> Decimal:
    # Few weeks that scatter wildly have an interval without a useful end.
    return round(Decimal(min(100 * change, 99_999.0)), 1)
