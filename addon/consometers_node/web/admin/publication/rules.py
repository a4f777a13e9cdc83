"""The rules of publication: the current ones, a preview of others, and the choice."""

from collections.abc import Mapping
from datetime import date, timedelta
import re

from aiohttp import web

from consometers_node.collective.disclosure.sdc_rules import DEFAULT_MINIMUM, LEAST_MINIMUM
from consometers_node.collective.publication import dry_run, policy as ours
from consometers_node.collective.publication.dry_run import PreviewPeriod
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    NOT_YET,
    BadRules,
    InForce,
    Rules,
    read_rules,
)
from consometers_node.collective.publication.reading.closed_hours import hours, missing, progress
from consometers_node.collective.publication.reading.queries import Published
from consometers_node.collective.settings_formats import STEPS, Basis
from consometers_node.i18n.text import Text, text
from consometers_node.settings_file.schema import Key
from consometers_node.sharing.consent_text import INTERVALS
from consometers_node.store.collective.member_status import count_members
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.rate_limit import visitors
from consometers_node.web.core.request_context import FilledForm
from consometers_node.web.core.speech import Language
from consometers_node.web.public.front import home
from consometers_node.web.public.page_base import Guest, PublicPages
from consometers_node.web.public.words import FLOWS

_FIELDS = (*ours.FIELDS, "opening", "opens")
_OPENING = {"": AT_ONCE, "not-yet": NOT_YET}
_FROM = "from"
_DAY = timedelta(days=1)
_FRONT_DAYS = 2
"""Before today, which the first page shows."""
_MOST_DIGITS = 6
_YEARS = range(2000, 2200)

_NO_DAY = text("Write a day, such as 2026-12-01.")
_CHOOSE = text("Choose one of these.")
_IN_VAIN = text(
    "First confirm that your members do without their history: no figure of it can be published."
)
_NOT_AGREED = text(
    "First confirm that your members agreed: with these rules, figures reveal more about them."
)


async def show(
    pages: AdminPages,
    context: AdminContext,
    errors: Mapping[str, Text] | None = None,
    *,
    filled: bool = False,
) -> web.StreamResponse:
    """Show the rules of publication, and a form to try others."""
    rules, choice, is_readable = await _now(pages, context)
    published = Published(pages.settings.identifier, pages.settings.time_zone, rules.publication)
    async with pages.store.reading() as connection:
        everybody = (await published.places(connection)).get("all")
        since = None if everybody is None else await published.since(connection, everybody)
        closings = await _closings(pages, context, connection, rules)
    values = {name: context.typed(name) for name in _FIELDS} if filled else _values(rules.chosen)
    return pages.page(
        context,
        "publication.html",
        status=422 if errors else 200,
        errors=errors or {},
        rules=rules,
        choice=choice,
        is_readable=is_readable,
        is_open=rules.are_open(context.now, pages.settings.time_zone),
        since=since,
        filled=values,
        flows=FLOWS,
        **closings,
        **_words(pages),
    )


async def change(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the form again with the submitted rules."""
    return await show(pages, context, _filled(context).errors, filled=True)


async def look(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show what the public would see, before the choice."""
    filled = await _checked(pages, context)
    if filled.value is None:
        return await show(pages, context, filled.errors, filled=True)
    return await _look(pages, context, filled.value)


async def look_at_front(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the public's first page under these rules."""
    filled = _filled(context)
    if filled.value is None:
        return await show(pages, context, filled.errors, filled=True)
    publication = filled.value.publication
    await _note(pages, context, filled.value)
    public, guest = as_visitor(pages, context, InForce(publication))

    async def shown(connection: AsyncConnection) -> web.StreamResponse:
        await public.read_about(connection)
        return await home.look(public, guest, connection, preview=True)

    return await dry_run.foresee_page(
        pages.store, pages.settings, publication, context.now, shown, days=_FRONT_DAYS
    )


def as_visitor(
    pages: AdminPages, context: AdminContext, rules: InForce
) -> tuple[PublicPages, Guest]:
    """Return the public pages under these rules, with the administrator as their visitor."""
    public = PublicPages(
        pages.store,
        pages.settings,
        pages.version,
        rules=rules,
        limits=visitors(),
        now=lambda: context.now,
    )
    return public, Guest(context.request, context.language, context.now)


async def choose(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Publish under the rules shown before."""
    filled = await _checked(pages, context)
    if filled.value is None:
        return await show(pages, context, filled.errors, filled=True)
    if filled.value.protect_less((await _now(pages, context))[0].chosen) and not context.typed(
        "agreed"
    ):
        return await _look(pages, context, filled.value, {"agreed": _NOT_AGREED})
    if await _is_in_vain(pages, context, filled.value) and not context.typed("without_history"):
        return await _look(pages, context, filled.value, {"without_history": _IN_VAIN})
    async with pages.store.writing() as connection:
        await ours.choose(connection, filled.value, context.person, context.now)
        await _plan(pages, context, connection)
    return await _chosen(pages, context, "chosen")


async def as_written(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Publish under the rules of the file; if they disclose more of members, preview first."""
    now = (await _now(pages, context))[0].chosen
    rules = Rules(pages.settings.publication, now.opens)
    if (objection := await _objection(pages, rules)) is not None:
        return await show(pages, context, {"interval": objection})
    if rules.protect_less(now):
        return await _look(pages, context, rules)
    async with pages.store.writing() as connection:
        await ours.go_back(connection, context.person)
        await _plan(pages, context, connection)
    return await _chosen(pages, context, "back")


async def _chosen(pages: AdminPages, context: AdminContext, done: str) -> web.StreamResponse:
    if pages.node is not None:
        async with pages.store.reading() as connection:
            await pages.node.rules.read(connection, context.now)
    pages.changed()
    return context.go(f"publication?done={done}")


async def _plan(pages: AdminPages, context: AdminContext, connection: AsyncConnection) -> None:
    rules = InForce(pages.settings.publication)
    await rules.plan(connection, context.now, pages.settings.time_zone)


async def _now(
    pages: AdminPages, context: AdminContext
) -> tuple[Rules, ours.ChosenRules | None, bool]:
    """Return the current rules, who chose them, and whether they can be read."""
    in_force = InForce(pages.settings.publication)
    async with pages.store.reading() as connection:
        rules = await in_force.read(connection, context.now)
        try:
            return rules, await ours.chosen(connection), True
        except BadRules:
            return rules, None, False


async def _closings(
    pages: AdminPages, context: AdminContext, connection: AsyncConnection, rules: Rules
) -> Mapping[str, object]:
    """Return how the hours of a day were closed, the last one first, and the past's progress."""
    zone, publication = pages.settings.time_zone, rules.publication
    opening = await ours.opened(connection)
    if opening is None or not rules.are_open(context.now, zone):
        return {"day": None, "past": None}
    past = await progress(connection, publication, zone, opening)
    if past is not None and past.back_to is None:
        return {"day": None, "past": past}
    newest = (context.now - timedelta(minutes=publication.interval.minutes)).date()
    day = min(_day(context.asked("day")) or newest, newest)
    closed = await hours(connection, publication, zone, day, context.now)
    return {
        "day": day,
        "before": day - _DAY,
        "after": None if day == newest else day + _DAY,
        "hours": closed[::-1],
        "directions": [
            direction for direction in FLOWS if any(direction in hour.outcomes for hour in closed)
        ],
        "lacking": sum(bool(missing([hour])) for hour in closed),
        "past": past,
    }


async def _look(
    pages: AdminPages, context: AdminContext, rules: Rules, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    settings, publication = pages.settings, rules.publication
    before = (await _now(pages, context))[0].chosen
    await _note(pages, context, rules)
    async with pages.store.reading() as connection:
        givers = (await count_members(connection, context.now)).granting.values()
    zone = settings.time_zone
    was_open = before.are_open(context.now, zone)
    then = await dry_run.foresee(pages.store, settings, publication, context.now)
    now, compares = then, publication != before.publication
    if compares:
        now = await dry_run.foresee(pages.store, settings, before.publication, context.now)
    return pages.page(
        context,
        "publication-preview.html",
        status=422 if errors else 200,
        errors=errors or {},
        rules=rules,
        before=before,
        is_same=rules == before,
        compares=compares,
        members=sum(giver.members for giver in givers),
        past=None if was_open or not rules.are_open(context.now, zone) else then[-1],
        behind=0 if was_open else sum(giver.unread for giver in givers),
        is_open=rules.are_open(context.now, zone),
        protects_less=rules.protect_less(before),
        filled=_values(rules),
        pairs=list(zip(now, then, strict=True)),
        **_words(pages),
    )


async def _is_in_vain(pages: AdminPages, context: AdminContext, rules: Rules) -> bool:
    """Return whether this opens a closed collective, and publishes nothing of its past."""
    zone = pages.settings.time_zone
    before = (await _now(pages, context))[0]
    if before.are_open(context.now, zone) or not rules.are_open(context.now, zone):
        return False
    *_, past = await dry_run.foresee(pages.store, pages.settings, rules.publication, context.now)
    return past.intervals.is_in_vain


async def _note(pages: AdminPages, context: AdminContext, rules: Rules) -> None:
    rules_text = " ".join(f"{key}={value}" for key, value in ours.written_rules(rules).items())
    async with pages.store.writing() as connection:
        await pages.note(connection, context, f"preview of publication {rules_text}")


def _words(pages: AdminPages) -> dict[str, object]:
    return {
        "PreviewPeriod": PreviewPeriod,
        "least": LEAST_MINIMUM,
        "usual": DEFAULT_MINIMUM,
        "steps": [step.value for step in STEPS],
        "intervals": INTERVALS,
        "written": Rules(pages.settings.publication),
        "at_once": AT_ONCE,
        "not_yet": NOT_YET,
        "minute": timedelta(minutes=1),
    }


def _values(rules: Rules) -> Mapping[str, str]:
    """Return the form's values for rules."""
    values = {key: str(value) for key, value in ours.written_rules(rules).items()}
    ways = {day: way for way, day in _OPENING.items()}
    is_day = rules.opens not in ways
    return {
        "minimum": str(DEFAULT_MINIMUM),
        **values,
        "opening": _FROM if is_day else ways[rules.opens],
        "opens": rules.opens.isoformat() if is_day else "",
    }


def _filled(context: AdminContext) -> FilledForm[Rules]:
    errors: dict[str, Text] = {}
    typed_rules: dict[str, object] = {}
    law = context.typed("basis") == Basis.LAW
    for name, key in ours.FIELDS.items():
        if law and name == "minimum":
            continue
        typed = context.typed(name)
        is_long = typed.isdecimal() and (len(typed) > _MOST_DIGITS or not typed.isascii())
        try:
            read_rules({name: "" if is_long else typed})
        except BadRules:
            errors[name] = _CHOOSE if key.format.choices else _hint(key)
        typed_rules[name] = typed
    opens = _OPENING.get(context.typed("opening"))
    if context.typed("opening") == _FROM:
        opens = _day(context.typed("opens"))
        if opens is None:
            errors["opens"] = _NO_DAY
    elif opens is None:
        errors["opening"] = _CHOOSE
    if errors or opens is None:
        return FilledForm(errors=errors)
    return FilledForm(read_rules(typed_rules, opens))


async def _checked(pages: AdminPages, context: AdminContext) -> FilledForm[Rules]:
    """Return the same for rules that can be chosen."""
    filled = _filled(context)
    if filled.value is None or (objection := await _objection(pages, filled.value)) is None:
        return filled
    return FilledForm(errors={"interval": objection})


async def _objection(pages: AdminPages, rules: Rules) -> Text | None:
    async with pages.store.reading() as connection:
        return await ours.objection_to_step(connection, rules.publication)


def _hint(key: Key) -> Text:
    """Return the settings file's hint, as a sentence of its own."""
    hint = key.format.sentence
    return Text({tag: _apart(hint.say(tag), Language(tag)) for tag in LANGUAGES})


def _apart(words: str, language: Language) -> str:
    """Separate the thousands of numbers, which the settings file does not."""
    return re.sub(r"\d{4,}", lambda match: language.number(int(match[0])), words)


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if day.year in _YEARS else None
