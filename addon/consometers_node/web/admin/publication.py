"""How sums are published: as it is now, as it would be, seen first, and chosen then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.disclosure.sdc_rules import DEFAULT_MINIMUM, LEAST_MINIMUM, Agreed, Reason
from ...collective.publication import dry_run, policy as ours
from ...collective.publication.closed_hours import State, hours, missing, progress
from ...collective.publication.dry_run import Stretch
from ...collective.publication.policy import AT_ONCE, NOT_YET, BadRules, InForce, Rules, read_rules
from ...collective.publication.queries import Published
from ...collective.settings_schema import KEYS, STEPS, Basis
from ...quoalise import Text
from ...quoalise.text import text
from ...sharing.consent_text import INTERVALS
from ...store.standing import standing
from ..language import LANGUAGES
from ..public import home
from ..public.handlers import Desk, Guest
from ..public.words import FLOWS
from ..rate_limit import visitors
from ..speech import Language
from .handlers import AdminDesk
from .visit import Visit

_WAITS = ("wait_minutes", "longest_wait_minutes")
_FIELDS = ("basis", "minimum", "interval", *_WAITS, "opening", "opens")
_OPENING = {"": AT_ONCE, "not-yet": NOT_YET}
_FROM = "from"
_DAY = timedelta(days=1)
_FRONT_DAYS = 2
"""Before today, of which the first page tells."""
_MOST_DIGITS = 6
_YEARS = range(2000, 2200)

_NO_DAY = text("Write a day, such as 2026-12-01.")
_CHOOSE = text("Choose one of these.")
_NOT_AGREED = text(
    "Say first that your members agreed: with these rules, figures tell more of them."
)
REASONS = {
    Reason.NOT_YET: text("not closed yet"),
    Reason.BELOW_THRESHOLD: text("too few homes"),
    Reason.DOMINANCE: text("one home makes most of it"),
    Reason.NEVER: text("too short a time for the law"),
    Reason.TOGETHER: text(
        "published together with other communes", context="list on the command line"
    ),
}

STATES = {
    State.PUBLISHED: text("published"),
    State.BELOW_THRESHOLD: REASONS[Reason.BELOW_THRESHOLD],
    State.DOMINANCE: REASONS[Reason.DOMINANCE],
    State.NEVER: REASONS[Reason.NEVER],
    State.NOTHING: text("nothing came"),
    State.WAITING: text("waits for members"),
    State.LATE: text("should be closed by now"),
}


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in: rules, or what is wrong by field."""

    rules: Rules | None
    errors: Mapping[str, Text]


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show how sums are published, and a form to try other rules."""
    return await _show(desk, visit)


async def change(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the form again with what was tried."""
    return await _show(desk, visit, _filled(visit).errors, filled=True)


async def look(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show what the public would see, before anything is chosen."""
    filled = _filled(visit)
    if filled.rules is None:
        return await _show(desk, visit, filled.errors, filled=True)
    return await _look(desk, visit, filled.rules)


async def look_at_front(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the public's first page as it would be."""
    filled = _filled(visit)
    if filled.rules is None:
        return await _show(desk, visit, filled.errors, filled=True)
    publication = filled.rules.publication
    await _note(desk, visit, filled.rules)
    public = Desk(
        desk.store,
        desk.settings,
        desk.version,
        rules=InForce(publication),
        limits=visitors(),
        now=lambda: visit.now,
    )
    guest = Guest(visit.request, visit.language, visit.now)

    async def shown(connection: AsyncConnection) -> web.StreamResponse:
        return await home.look(public, guest, connection, preview=True)

    return await dry_run.foresee_page(
        desk.store, desk.settings, publication, visit.now, shown, days=_FRONT_DAYS
    )


async def back(_desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Go to the form: what was tried stands in no address."""
    return visit.go("publication")


async def choose(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Publish by what was seen before."""
    filled = _filled(visit)
    if filled.rules is None:
        return await _show(desk, visit, filled.errors, filled=True)
    if filled.rules.protect_less((await _now(desk))[0]) and not visit.typed("agreed"):
        return await _look(desk, visit, filled.rules, {"agreed": _NOT_AGREED})
    async with desk.store.writing() as connection:
        await ours.choose(connection, filled.rules, visit.person, visit.now)
    return await _chosen(desk, visit, "chosen")


async def as_written(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Publish by what the file says; if that tells more of members, it is seen first."""
    now, _, _ = await _now(desk)
    rules = Rules(desk.settings.publication, now.opens)
    if rules.protect_less(now):
        return await _look(desk, visit, rules)
    async with desk.store.writing() as connection:
        await ours.go_back(connection, visit.person)
    return await _chosen(desk, visit, "back")


async def _chosen(desk: AdminDesk, visit: Visit, done: str) -> web.StreamResponse:
    if desk.node is not None:
        async with desk.store.reading() as connection:
            await desk.node.rules.read(connection)
    desk.changed()
    return visit.go(f"publication?done={done}")


async def _now(desk: AdminDesk) -> tuple[Rules, ours.Choice | None, bool]:
    """Return the rules of now, who chose them, and whether that can be read."""
    in_force = InForce(desk.settings.publication)
    async with desk.store.reading() as connection:
        rules = await in_force.read(connection)
        try:
            return rules, await ours.chosen(connection), True
        except BadRules:
            return rules, None, False


async def _show(
    desk: AdminDesk,
    visit: Visit,
    errors: Mapping[str, Text] | None = None,
    *,
    filled: bool = False,
) -> web.StreamResponse:
    rules, choice, is_readable = await _now(desk)
    published = Published(desk.settings.identifier, desk.settings.time_zone, rules.publication)
    async with desk.store.reading() as connection:
        everybody = (await published.places(connection)).get("all")
        since = None if everybody is None else await published.since(connection, everybody)
        closings = await _closings(desk, visit, connection, rules)
    told = {name: visit.typed(name) for name in _FIELDS} if filled else _told(rules)
    return desk.page(
        visit,
        "publication.html",
        status=422 if errors else 200,
        errors=errors or {},
        rules=rules,
        choice=choice,
        is_readable=is_readable,
        is_open=rules.are_open(visit.now, desk.settings.time_zone),
        since=since,
        told=told,
        states=STATES,
        flows=FLOWS,
        **closings,
        **_words(desk),
    )


async def _closings(
    desk: AdminDesk, visit: Visit, connection: AsyncConnection, rules: Rules
) -> Mapping[str, object]:
    """Return how the hours of a day were closed, the last one first, and how far the past is."""
    zone, publication = desk.settings.time_zone, rules.publication
    opening = await ours.opened(connection)
    if opening is None or not rules.are_open(visit.now, zone):
        return {"day": None, "past": None}
    if (past := await progress(connection, publication, zone, opening)) is not None:
        return {"day": None, "past": past}
    newest = (visit.now - timedelta(minutes=publication.interval.minutes)).date()
    day = min(_day(visit.asked("day")) or newest, newest)
    found = await hours(connection, publication, zone, day, visit.now)
    return {
        "day": day,
        "before": day - _DAY,
        "after": None if day == newest else day + _DAY,
        "hours": found[::-1],
        "directions": [one for one in FLOWS if any(one in hour.outcomes for hour in found)],
        "lacking": sum(bool(missing([hour])) for hour in found),
        "past": None,
    }


async def _look(
    desk: AdminDesk, visit: Visit, rules: Rules, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    settings, publication = desk.settings, rules.publication
    before, _, _ = await _now(desk)
    await _note(desk, visit, rules)
    async with desk.store.reading() as connection:
        givers = (await standing(connection, visit.now)).givers.values()
    was_open = before.are_open(visit.now, settings.time_zone)
    then = await dry_run.foresee(desk.store, settings, publication, visit.now)
    now, compares = then, publication != before.publication
    if compares:
        now = await dry_run.foresee(desk.store, settings, before.publication, visit.now)
    return desk.page(
        visit,
        "publication-preview.html",
        status=422 if errors else 200,
        errors=errors or {},
        rules=rules,
        before=before,
        is_same=rules == before,
        compares=compares,
        behind=0 if was_open else sum(one.catching_up for one in givers),
        is_open=rules.are_open(visit.now, settings.time_zone),
        protects_less=rules.protect_less(before),
        told=_told(rules),
        pairs=list(zip(now, then, strict=True)),
        **_words(desk),
    )


async def _note(desk: AdminDesk, visit: Visit, rules: Rules) -> None:
    said = " ".join(f"{key}={value}" for key, value in ours.written_rules(rules).items())
    async with desk.store.writing() as connection:
        await desk.note(connection, visit, f"preview of publication {said}")


def _words(desk: AdminDesk) -> dict[str, object]:
    return {
        "Agreed": Agreed,
        "Stretch": Stretch,
        "least": LEAST_MINIMUM,
        "usual": DEFAULT_MINIMUM,
        "steps": [step.value for step in STEPS],
        "intervals": INTERVALS,
        "reasons": REASONS,
        "written": Rules(desk.settings.publication),
        "at_once": AT_ONCE,
        "not_yet": NOT_YET,
        "minimum_of": _minimum,
        "wait_of": _wait,
        "longest_wait_of": _longest_wait,
    }


def _minimum(rules: Rules) -> int | None:
    """Return how many homes it takes by agreement; None by law."""
    basis = rules.publication.basis
    return basis.minimum if isinstance(basis, Agreed) else None


def _wait(rules: Rules) -> int:
    return int(rules.publication.wait.total_seconds() // 60)


def _longest_wait(rules: Rules) -> int:
    return int(rules.publication.longest_wait.total_seconds() // 60)


def _told(rules: Rules) -> Mapping[str, str]:
    """Return what the form says of rules."""
    told = {key: str(value) for key, value in ours.written_rules(rules).items()}
    ways = {day: way for way, day in _OPENING.items()}
    is_day = rules.opens not in ways
    return {
        "minimum": str(DEFAULT_MINIMUM),
        **told,
        "opening": _FROM if is_day else ways[rules.opens],
        "opens": rules.opens.isoformat() if is_day else "",
    }


def _filled(visit: Visit) -> Filled:
    """Read the form."""
    errors: dict[str, Text] = {}
    told: dict[str, object] = {}
    law = visit.typed("basis") == Basis.LAW
    for name in ("basis", "interval", *_WAITS, *(() if law else ("minimum",))):
        typed = visit.typed(name)
        is_long = typed.isdecimal() and (len(typed) > _MOST_DIGITS or not typed.isascii())
        try:
            read_rules({name: "" if is_long else typed})
        except BadRules:
            choices = name in {"basis", "interval"}
            errors[name] = _CHOOSE if choices else _hint(name)
        told[name] = typed
    opens = _OPENING.get(visit.typed("opening"))
    if visit.typed("opening") == _FROM:
        opens = _day(visit.typed("opens"))
        if opens is None:
            errors["opens"] = _NO_DAY
    elif opens is None:
        errors["opening"] = _CHOOSE
    if errors or opens is None:
        return Filled(None, errors)
    return Filled(read_rules(told, opens), {})


def _hint(name: str) -> Text:
    """Return what the settings file wants there, as a sentence of its own."""
    hint = KEYS[f"publication.{name}"].format.hint
    said = {tag: _apart(hint.say(tag), Language(tag)) for tag in LANGUAGES}
    return Text({tag: words[0].upper() + words[1:] for tag, words in said.items()})


def _apart(words: str, language: Language) -> str:
    """Write the thousands of numbers apart, which the settings file does not."""
    return re.sub(r"\d{4,}", lambda found: language.number(int(found[0])), words)


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if day.year in _YEARS else None
