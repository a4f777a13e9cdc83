"""The challenges of a collective, as administrators set them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from sqlalchemy import delete, func, insert, select, update

from consometers_node.collective.calendar import Span
from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.collective.publication.reading.queries import Place, Published
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.tables import (
    ChallengeId,
    ChallengeParticipantRow,
    ChallengeRow,
    GroupId,
)
from consometers_node.store.engine.connection import AsyncConnection

KINDS = frozenset({GroupKind.AREA, GroupKind.REST, GroupKind.COMBINED, GroupKind.SITE})
"""Possible participants: communes and public buildings, each by itself."""
MOST_CHALLENGES = 100
MOST_PARTICIPANTS = 20
LEAST_PARTICIPANTS = 2
DAYS = (14, 371)
OBJECTIVES = (1, 50)
_MAX_NAME = 80
_YEARS = (2000, 2098)

_NO_NAME = text("Write a name of 1 to {most} characters.")
_NO_DAY = text("Write a day as YYYY-MM-DD, between the years {first} and {last}.")
_BAD_LENGTH = text("A challenge lasts from {least} to {most} days, its first and last included.")
_BAD_OBJECTIVE = text("Write a whole percentage from {least} to {most}: 10 means 10 % less.")
_BAD_COUNT = text("From {least} to {most} groups take part.")
_NO_GROUP = text("“{name}” is no published commune or public building.")
_OVERLAPS = text("“{name}” takes part twice: alone, and together with others.")
_TOO_MANY = text("There are {most} challenges already: remove one that is over.")
_UNKNOWN = text("There is no such challenge.")


class BadChallenge(CollectiveFault):
    """A challenge that cannot be; `errors` say what is wrong, by field."""

    condition = "bad-challenge"

    def __init__(self, errors: Mapping[str, Text]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge: its participants are groups, the objective is so many percent less."""

    id: ChallengeId
    name_fr: str
    name_en: str
    first_day: date
    last_day: date
    objective_percent: int
    participants: frozenset[GroupId] = frozenset()

    @property
    def name(self) -> Text:
        """Its name in both languages."""
        return Text({"fr": self.name_fr, "en": self.name_en})

    @property
    def span(self) -> Span:
        """Return the civil days of the challenge."""
        return Span(self.first_day, self.last_day)

    @property
    def objective(self) -> float:
        """The change to reach, such as −0.1."""
        return -self.objective_percent / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedChallenge:
    """A typed challenge: days and objective as text, groups by address."""

    name_fr: str
    name_en: str
    first_day: str
    last_day: str
    objective: str
    participants: Sequence[str]


def offered(places: Mapping[str, Place]) -> list[Place]:
    """Return the groups that may take part."""
    return sorted(
        (place for place in places.values() if place.kind in KINDS and not place.is_together),
        key=lambda place: (place.kind is GroupKind.SITE, place.title.say()),
    )


async def suggested(connection: AsyncConnection, published: Published) -> list[Place]:
    """Return suggested participants: communes as they were published lately, and sites."""
    places = await published.places(connection)
    recent = {place.id for place in await published.recent(connection, places.values())}
    return [
        place for place in offered(places) if place.kind is GroupKind.SITE or place.id in recent
    ]


def read(typed: TypedChallenge, places: Mapping[str, Place]) -> Challenge:
    """Return the typed challenge, without an id yet. Raises BadChallenge."""
    errors: dict[str, Text] = {}
    names = {name: " ".join(getattr(typed, name).split()) for name in ("name_fr", "name_en")}
    for field, name in names.items():
        if not 0 < len(name) <= _MAX_NAME:
            errors[field] = _NO_NAME.fill(most=_MAX_NAME)
    days = {name: _day(getattr(typed, name)) for name in ("first_day", "last_day")}
    for field, day in days.items():
        if day is None:
            errors[field] = _NO_DAY.fill(first=_YEARS[0], last=_YEARS[1])
    first, last = days["first_day"], days["last_day"]
    if first and last and not DAYS[0] <= len(Span(first, last)) <= DAYS[1]:
        errors["last_day"] = _BAD_LENGTH.fill(least=DAYS[0], most=DAYS[1])
    objective = _percent(typed.objective)
    if objective is None:
        errors["objective"] = _BAD_OBJECTIVE.fill(least=OBJECTIVES[0], most=OBJECTIVES[1])
    participants, problem = _participants(typed.participants, places)
    if problem is not None:
        errors["participants"] = problem
    if errors:
        raise BadChallenge(errors)
    assert first is not None
    assert last is not None
    assert objective is not None
    return Challenge(
        id=ChallengeId(0),
        **names,
        first_day=first,
        last_day=last,
        objective_percent=objective,
        participants=participants,
    )


async def all_challenges(connection: AsyncConnection) -> list[Challenge]:
    """Return all challenges, the last one first."""
    rows = await connection.execute(
        select(ChallengeRow.__table__).order_by(
            ChallengeRow.first_day.desc(), ChallengeRow.id.desc()
        )
    )
    challenges = [Challenge(**row._asdict()) for row in rows]
    participants: dict[ChallengeId, set[GroupId]] = {}
    query = select(ChallengeParticipantRow.challenge_id, ChallengeParticipantRow.group_id)
    for challenge, group in await connection.execute(query):
        participants.setdefault(challenge, set()).add(group)
    return [
        replace(challenge, participants=frozenset(participants.get(challenge.id, ())))
        for challenge in challenges
    ]


async def challenge_of(connection: AsyncConnection, challenge_id: ChallengeId) -> Challenge:
    """Return a challenge. Raises NotFound."""
    for challenge in await all_challenges(connection):
        if challenge.id == challenge_id:
            return challenge
    raise NotFound(_UNKNOWN)


async def add(connection: AsyncConnection, challenge: Challenge) -> ChallengeId:
    """Store a new challenge. Raises BadChallenge where there are too many."""
    count = (await connection.execute(select(func.count(ChallengeRow.id)))).scalar_one()
    if count >= MOST_CHALLENGES:
        raise BadChallenge({"": _TOO_MANY.fill(most=MOST_CHALLENGES)})
    made = insert(ChallengeRow).values(_values(challenge)).returning(ChallengeRow.id)
    challenge_id: ChallengeId = (await connection.execute(made)).scalar_one()
    await _put_participants(connection, challenge_id, challenge)
    return challenge_id


async def change(connection: AsyncConnection, challenge: Challenge) -> None:
    """Store a changed challenge. Raises NotFound."""
    await challenge_of(connection, challenge.id)
    row = ChallengeRow
    await connection.execute(update(row).where(row.id == challenge.id).values(_values(challenge)))
    participant = ChallengeParticipantRow
    await connection.execute(delete(participant).where(participant.challenge_id == challenge.id))
    await _put_participants(connection, challenge.id, challenge)


async def remove(connection: AsyncConnection, challenge_id: ChallengeId) -> Challenge:
    """Remove a challenge; published figures stay. Raises NotFound."""
    challenge = await challenge_of(connection, challenge_id)
    await connection.execute(delete(ChallengeRow).where(ChallengeRow.id == challenge_id))
    return challenge


async def _put_participants(
    connection: AsyncConnection, challenge_id: ChallengeId, challenge: Challenge
) -> None:
    rows = [
        {"challenge_id": challenge_id, "group_id": group}
        for group in sorted(challenge.participants)
    ]
    await connection.execute(insert(ChallengeParticipantRow), rows)


def _values(challenge: Challenge) -> dict[str, object]:
    names = ("name_fr", "name_en", "first_day", "last_day", "objective_percent")
    return {name: getattr(challenge, name) for name in names}


def _participants(
    slugs: Sequence[str], places: Mapping[str, Place]
) -> tuple[frozenset[GroupId], Text | None]:
    """Return the groups of some addresses, or their errors."""
    groups = {place.slug: place for place in offered(places)}
    for slug in slugs:
        if slug not in groups:
            return frozenset(), _NO_GROUP.fill(name=slug)
    chosen = [groups[slug] for slug in dict.fromkeys(slugs)]
    if not LEAST_PARTICIPANTS <= len(chosen) <= MOST_PARTICIPANTS:
        return frozenset(), _BAD_COUNT.fill(least=LEAST_PARTICIPANTS, most=MOST_PARTICIPANTS)
    communes = sorted(
        name
        for place in chosen
        if place.kind is not GroupKind.SITE
        for name in place.parts or (place.name,)
    )
    for name, following in pairwise(communes):
        if name == following:
            return frozenset(), _OVERLAPS.fill(name=name)
    return frozenset(place.id for place in chosen), None


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        return None
    return day if _YEARS[0] <= day.year <= _YEARS[1] else None


def _percent(typed: str) -> int | None:
    written = typed.strip().removesuffix("%").strip().lstrip("-−").strip()
    if not (written.isascii() and written.isdigit() and len(written) <= 2):
        return None
    return int(written) if OBJECTIVES[0] <= int(written) <= OBJECTIVES[1] else None
