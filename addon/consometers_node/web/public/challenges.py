"""Challenges: rankings for a screen, a wall and paper, and as open data."""

from enum import StrEnum
from typing import Any

from aiohttp import web

from consometers_node.collective.challenges.comparison import CONFIDENCE, LEAST_DAYS, LEAST_WEEKS
from consometers_node.collective.challenges.register import Challenge, all_challenges
from consometers_node.collective.challenges.results import (
    STATES,
    Participant,
    Result,
    State,
    result,
    state_of,
)
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.core.page_base import csv_text

from .drawing.challenges import draw_ranking, draw_weeks
from .drawing.marks import COLOURS
from .headers import allow_reading
from .live import base
from .open_data.opendata import NOT_THERE, Json, dumped, opened
from .page_base import Guest, PublicPages, problem
from .pictures import picture
from .words import LICENCE, LICENCE_ID

_CSV, _JSON = ".csv", ".json"
_MAX_DIGITS = 9
MOST_ON_A_WALL = 9
"""More would be too small at five metres."""
_DIGITS = 4
COLUMNS = (
    "from",
    "to",
    "days",
    "group",
    "use_wh",
    "use_year_before_wh",
    "change",
    "relative_change",
)
"""Those of the CSV of a challenge: a row for each group and week."""


class Drawn(StrEnum):
    """A chart of a challenge."""

    RANKING = "ranking"
    WEEKS = "weeks"


async def show_all(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """List the challenges."""
    async with pages.store.reading() as connection:
        challenges = await all_challenges(connection)
    listed = [(challenge, state_of(challenge, guest.today)) for challenge in challenges]
    return pages.page(guest, "challenges.html", challenges=listed, states=STATES)


async def show(
    pages: PublicPages, guest: Guest, template: str = "challenge.html", most: int | None = None
) -> web.StreamResponse:
    """Show the results of a challenge: of all participants, or of the best ones."""
    async with pages.store.reading() as connection:
        seen = await _named(pages, guest, connection)
    return _shown(pages, guest, template, seen, most)


async def poster(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return a printable sheet for a challenge: an invitation, or its results."""
    from consometers_node.web.core.sheets import qr_inline  # noqa: PLC0415

    async with pages.store.reading() as connection:
        seen = await _named(pages, guest, connection)
    link = f"{guest.origin}/challenge/{seen.challenge.id}"
    return _shown(pages, guest, "challenge-poster.html", seen, qr_inline=qr_inline, link=link)


async def as_picture(pages: PublicPages, guest: Guest, drawn: Drawn) -> web.StreamResponse:
    """Return a chart of a challenge as a picture."""
    async with pages.store.reading() as connection:
        seen = await _named(pages, guest, connection)
    chart = draw_ranking(seen) if drawn is Drawn.RANKING else draw_weeks(seen)
    if not chart.rows or (drawn is Drawn.WEEKS and not seen.comparison.weeks):
        raise web.HTTPNotFound
    return picture(
        pages,
        guest,
        "challenge-picture.html",
        f"challenge-{seen.challenge.id}-{drawn}",
        challenge=seen.challenge,
        seen=seen,
        chart=chart,
        drawn=drawn,
    )


async def diploma(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the diploma of a participant, once all figures of a challenge are there."""
    async with pages.store.reading() as connection:
        seen = await _named(pages, guest, connection)
    participant = seen.named(guest.named("place"))
    if participant is None or not has_diploma(seen, participant):
        raise web.HTTPNotFound
    return _shown(pages, guest, "challenge-diploma.html", seen, participant=participant)


def has_diploma(seen: Result, participant: Participant) -> bool:
    """Return whether a participant of a finished challenge has a rank."""
    standing = participant.standing
    return seen.state is State.ENDED and standing is not None and standing.first is not None


async def listed(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return all challenges as JSON."""
    async with pages.store.reading() as connection:
        challenges = await all_challenges(connection)
    body: Json = {
        "collective": pages.settings.name,
        "licence": LICENCE_ID,
        "challenges": [
            _described(challenge, state_of(challenge, guest.today)) for challenge in challenges
        ],
    }
    return opened(dumped(body), "application/json")


async def as_data(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the results of a challenge, as JSON, or its weeks as CSV."""
    name = guest.named("challenge")
    as_csv = name.endswith(_CSV)
    async with pages.store.reading() as connection:
        challenge = await _challenge(connection, name.removesuffix(_CSV if as_csv else _JSON))
        if challenge is None:
            response = problem(404, NOT_THERE)
            allow_reading(response)
            return response
        seen = await result(connection, pages.published, challenge, guest.now)
    if as_csv:
        return opened(_as_csv(seen), "text/csv")
    return opened(dumped(_as_json(pages, seen)), "application/json")


def _shown(
    pages: PublicPages,
    guest: Guest,
    template: str,
    seen: Result,
    most: int | None = None,
    **model: Any,
) -> web.Response:
    return pages.page(
        guest,
        template,
        challenge=seen.challenge,
        seen=seen,
        states=STATES,
        path=f"challenge/{seen.challenge.id}",
        ranking=draw_ranking(seen, most),
        weeks=draw_weeks(seen, most),
        base_of=base,
        has_diploma=has_diploma,
        colours=COLOURS,
        least_days=LEAST_DAYS,
        least_weeks=LEAST_WEEKS,
        **model,
    )


async def _named(pages: PublicPages, guest: Guest, connection: AsyncConnection) -> Result:
    """Return the results of the challenge in the URL. Raises HTTPNotFound."""
    challenge = await _challenge(connection, guest.named("challenge"))
    if challenge is None:
        raise web.HTTPNotFound
    return await result(connection, pages.published, challenge, guest.now)


async def _challenge(connection: AsyncConnection, number: str) -> Challenge | None:
    is_number = number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS
    return next(
        (
            challenge
            for challenge in (await all_challenges(connection) if is_number else ())
            if str(challenge.id) == number
        ),
        None,
    )


def _described(challenge: Challenge, state: State) -> dict[str, Json]:
    return {
        "id": challenge.id,
        "name": {"fr": challenge.name_fr, "en": challenge.name_en},
        "from": challenge.first_day.isoformat(),
        "to": challenge.last_day.isoformat(),
        "objective": challenge.objective,
        "state": state,
    }


def _as_json(pages: PublicPages, seen: Result) -> Json:
    weeks = seen.comparison.weeks
    return _described(seen.challenge, seen.state) | {
        "collective": pages.settings.name,
        "licence": LICENCE_ID,
        "attribution": f"{pages.settings.name}, {LICENCE}",
        "weeks": seen.weeks,
        "weeks_over": seen.weeks_over,
        "weeks_compared": len(weeks),
        "confidence": CONFIDENCE,
        "participants": [_participant(each) for each in seen.participants],
        "weekly": [
            {
                "from": week.span.first.isoformat(),
                "to": week.span.last.isoformat(),
                "days": week.days,
                "groups": {
                    name: {
                        "use": round(use.now, 1),
                        "use_year_before": round(use.before, 1),
                        "change": round(week.change(name), _DIGITS),
                        "relative_change": round(week.relative(name), _DIGITS),
                    }
                    for name, use in week.uses.items()
                },
            }
            for week in weeks
        ],
    }


def _participant(participant: Participant) -> Json:
    standing = participant.standing
    return {
        "group": participant.place.slug,
        "name": participant.place.title.say("fr"),
        "change": _rounded(standing.change if standing else None),
        "low": _rounded(standing.low if standing else None),
        "high": _rounded(standing.high if standing else None),
        "change_since_year_before": _rounded(standing.year_change if standing else None),
        "rank_first": standing.first if standing else None,
        "rank_last": standing.last if standing else None,
        "objective": participant.outcome,
        "left_out": participant.gap,
        "members": participant.homes,
        "members_year_before": participant.homes_before,
    }


def _rounded(change: float | None) -> float | None:
    return None if change is None else round(change, _DIGITS)


def _as_csv(seen: Result) -> str:
    rows = [
        (
            week.span.first.isoformat(),
            week.span.last.isoformat(),
            week.days,
            name,
            round(use.now, 1),
            round(use.before, 1),
            round(week.change(name), _DIGITS),
            round(week.relative(name), _DIGITS),
        )
        for week in seen.comparison.weeks
        for name, use in week.uses.items()
    ]
    return csv_text([COLUMNS, *rows])
