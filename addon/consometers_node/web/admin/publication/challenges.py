"""Challenges between communes and public buildings: listed, set, changed, removed."""

from collections.abc import Mapping

from aiohttp import web

from consometers_node.collective.challenges.register import (
    DAYS,
    LEAST_PARTICIPANTS,
    MOST_PARTICIPANTS,
    OBJECTIVES,
    BadChallenge,
    Challenge,
    TypedChallenge,
    all_challenges,
    challenge_of,
    offered,
    suggested,
)
from consometers_node.collective.challenges.results import STATES, state_of
from consometers_node.collective.errors import NotFound
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.publication.reading.queries import Published
from consometers_node.i18n.text import Text
from consometers_node.store.collective.tables import ChallengeId
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext

_FIELDS = ("name_fr", "name_en", "first_day", "last_day", "objective")
_EMPTY = dict.fromkeys(_FIELDS, "") | {"objective": "10"}


async def show(
    pages: AdminPages, context: AdminContext, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    """List the challenges, and show the form of a new one."""
    return await _page(pages, context, None, errors)


async def show_one(
    pages: AdminPages, context: AdminContext, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    """Show a challenge in the form. Raises HTTPNotFound."""
    async with pages.store.reading() as connection:
        try:
            challenge = await challenge_of(connection, _named(context))
        except NotFound:
            raise web.HTTPNotFound from None
    return await _page(pages, context, challenge, errors)


async def add(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store a new challenge."""
    try:
        await pages.actions(context).set_challenge(_typed(context))
    except BadChallenge as fault:
        return await show(pages, context, fault.errors)
    return context.go("challenges?done=set")


async def change(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store a changed challenge."""
    try:
        await pages.actions(context).set_challenge(_typed(context), _named(context))
    except BadChallenge as fault:
        return await show_one(pages, context, fault.errors)
    return context.go("challenges?done=set")


async def remove(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Remove a challenge."""
    await pages.actions(context).remove_challenge(_named(context))
    return context.go("challenges?done=removed")


async def _page(
    pages: AdminPages,
    context: AdminContext,
    challenge: Challenge | None,
    errors: Mapping[str, Text] | None,
) -> web.StreamResponse:
    settings = pages.settings
    async with pages.store.reading() as connection:
        rules = await InForce(settings.publication).read(connection, context.now)
        published = Published(settings.identifier, settings.time_zone, rules.publication)
        everything = offered(await published.places(connection))
        groups = await suggested(connection, published)
        challenges = await all_challenges(connection)
    typed, chosen = _EMPTY, frozenset[str]()
    if errors:
        typed = {name: context.typed(name) for name in _FIELDS}
        chosen = frozenset(_typed(context).participants)
    elif challenge is not None:
        typed = {
            "name_fr": challenge.name_fr,
            "name_en": challenge.name_en,
            "first_day": challenge.first_day.isoformat(),
            "last_day": challenge.last_day.isoformat(),
            "objective": str(challenge.objective_percent),
        }
        chosen = frozenset(group.slug for group in everything if group.id in challenge.participants)
    # A group that was published lately no longer stays where it was chosen.
    groups += [group for group in everything if group.slug in chosen and group not in groups]
    return pages.page(
        context,
        "challenges.html",
        status=422 if errors else 200,
        errors=errors or {},
        typed=typed,
        chosen=chosen,
        groups=groups,
        challenge=challenge,
        challenges=[(each, state_of(each, context.today)) for each in challenges],
        states=STATES,
        days=DAYS,
        objectives=OBJECTIVES,
        counts=(LEAST_PARTICIPANTS, MOST_PARTICIPANTS),
    )


def _typed(context: AdminContext) -> TypedChallenge:
    return TypedChallenge(
        **{name: context.typed(name) for name in _FIELDS},
        participants=context.chosen("participants"),
    )


def _named(context: AdminContext) -> ChallengeId:
    return ChallengeId(int(context.named("challenge")))
