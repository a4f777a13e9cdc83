"""Challenges between groups of a collective: `challenges list`, `groups`, `set`, `remove`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Columns, Json
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.challenges.register import (
    BadChallenge,
    Challenge,
    TypedChallenge,
    all_challenges,
    suggested,
)
from consometers_node.collective.challenges.results import STATES, state_of
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.publication.reading.queries import AREAS, Place, Published
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import ChallengeId, GroupId

from .command import CollectiveSession, now, run

_GROUPS: Columns[Place] = {
    text("Group"): lambda place: place.slug,
    text("Name"): lambda place: place.title,
}
_NOTHING = text("No challenge: “consometers-node challenges set” creates one.")
_NO_GROUP = text("No published commune or public building can take part yet.")
_SET = text("Challenge {id} is set: “{name}”.")
_REMOVED = text("Challenge {id} is removed: “{name}”. Published figures stay.")
_OPTIONS = {
    "name_fr": "--name-fr",
    "name_en": "--name-en",
    "first_day": "--from",
    "last_day": "--to",
    "objective": "--objective",
    "participants": "--participant",
}

commands = Commands(run, Ours)

Number = Annotated[
    int, typer.Argument(metavar=say("NUMBER"), help=say("Its number, as list shows it."))
]


@commands.add("list", text("List the challenges."))
async def list_challenges(session: CollectiveSession) -> None:
    """List the challenges."""
    today = now().astimezone(session.settings.time_zone).date()
    async with session.store.reading() as connection:
        challenges = await all_challenges(connection)
    places = {place.id: place for place in (await _places(session)).values()}
    columns: Columns[Challenge] = {
        text("Number", context="of a challenge"): lambda challenge: challenge.id,
        text("Name"): lambda challenge: challenge.name,
        text("Start"): lambda challenge: challenge.first_day.isoformat(),
        text("End"): lambda challenge: challenge.last_day.isoformat(),
        text("Objective"): lambda challenge: f"−{challenge.objective_percent} %",
        text("State"): lambda challenge: STATES[state_of(challenge, today)],
        text("Participants"): lambda challenge: ", ".join(_slugs(challenge, places)),
    }
    session.output.listing(
        challenges, lambda challenge: _document(challenge, places), columns, _NOTHING
    )


@commands.add("groups", text("List the groups that may take part."))
async def list_groups(session: CollectiveSession) -> None:
    """List communes and sites with published figures."""
    async with session.store.reading() as connection:
        groups = await suggested(connection, await _published(session))
    session.output.listing(groups, _group_document, _GROUPS, _NO_GROUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeOptions:
    """A challenge, from the command line's options."""

    name_fr: Annotated[str, typer.Option(help=say("Its name in French."))]
    name_en: Annotated[str, typer.Option(help=say("Its name in English."))]
    first_day: Annotated[
        str, typer.Option("--from", metavar=say("DAY"), help=say("Its first day."))
    ]
    last_day: Annotated[str, typer.Option("--to", metavar=say("DAY"), help=say("Its last day."))]
    objective: Annotated[str, typer.Option(metavar="10", help=say("How many percent less to use."))]
    participant: Annotated[
        list[str],
        typer.Option(
            metavar=say("GROUP"), help=say("Who takes part, as groups lists it; repeat for each.")
        ),
    ]
    change: Annotated[
        int | None, typer.Option(metavar=say("NUMBER"), help=say("The challenge to change."))
    ] = None

    @property
    def typed(self) -> TypedChallenge:
        """The typed values."""
        return TypedChallenge(
            name_fr=self.name_fr,
            name_en=self.name_en,
            first_day=self.first_day,
            last_day=self.last_day,
            objective=self.objective,
            participants=self.participant,
        )


@commands.add("set", text("Create a challenge, or change the one of a number."))
async def set_challenge(session: CollectiveSession, options: ChallengeOptions) -> None:
    """Store a challenge."""
    number = None if options.change is None else ChallengeId(options.change)
    try:
        challenge = await session.actions.set_challenge(options.typed, number)
    except BadChallenge as fault:
        field, words = next(iter(fault.errors.items()))
        if field not in _OPTIONS:
            raise
        raise misused(_OPTIONS[field], words) from None
    places = {place.id: place for place in (await _places(session)).values()}
    document = _document(challenge, places)
    session.output.result(document, _SET, id=challenge.id, name=challenge.name)


@commands.add("remove", text("Remove a challenge. Published figures stay."))
async def remove(session: CollectiveSession, number: Number) -> None:
    """Remove a challenge."""
    challenge = await session.actions.remove_challenge(ChallengeId(number))
    document: Json = {"id": challenge.id, "removed": True}
    session.output.result(document, _REMOVED, id=challenge.id, name=challenge.name)


async def _places(session: CollectiveSession) -> dict[str, Place]:
    published = await _published(session)
    async with session.store.reading() as connection:
        return dict(await published.places(connection))


async def _published(session: CollectiveSession) -> Published:
    settings = session.settings
    async with session.store.reading() as connection:
        rules = await InForce(settings.publication).read(connection, now())
    return Published(settings.identifier, settings.time_zone, rules.publication)


def _slugs(challenge: Challenge, places: dict[GroupId, Place]) -> list[str]:
    return sorted(places[group].slug for group in challenge.participants if group in places)


def _group_document(place: Place) -> Json:
    return {
        "group": place.slug,
        "name": place.title.say("fr"),
        "communes": list(place.parts or (place.name,)) if place.kind in AREAS else [],
    }


def _document(challenge: Challenge, places: dict[GroupId, Place]) -> dict[str, Json]:
    return {
        "id": challenge.id,
        "name": {"fr": challenge.name_fr, "en": challenge.name_en},
        "from": challenge.first_day.isoformat(),
        "to": challenge.last_day.isoformat(),
        "objective_percent": challenge.objective_percent,
        "participants": _slugs(challenge, places),
    }
