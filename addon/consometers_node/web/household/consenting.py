"""A household chooses series of what is asked, sees the very records that would leave, answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from ...household.recorder.errors import HomeAssistantFault
from ...household.recorder.statistics import Proposal
from ...household.sharing.candidate_statistics import preview
from ...permission import (
    Choice,
    DataNeed,
    Identification,
    PermissionFault,
    Signature,
    State,
    UnknownPermission,
)
from ...quoalise import Text
from ...quoalise.text import text
from ...series import Interval, Quantity, Series
from ...sharing import consent_text
from ...sharing.consent import DataRequest, Preview, check, data_request, grant as grant_it
from ...sharing.error_messages import NARROWER, message_of
from ...store import NotPermitted, PermissionId
from ...store.coverage import absences
from ...wire import Unsayable
from ...wire.encode import unit
from ..core.page_base import RequestRefused
from ..core.request_context import RequestContext
from .handlers import House, Pages

_DAYS_SHOWN = 1
_CIVIL_DAYS_SHOWN = 8

_CHOOSE = text("Choose at least one series: none is chosen for you.")
_GONE = text("Home Assistant no longer has {statistic}, or its direction changed: choose again.")
_NOT_DAYS = text("Write a whole number of days, from {least} to {most}.")
_READ_AGAIN = text(
    "This data request changed since you read it. Here is the present version: read it, then"
    " allow it."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A series that may be ticked."""

    series: Series
    name: str | None
    on_dashboard: bool


@dataclass(slots=True)
class ConsentForm:
    """What a person chose, and what is wrong with it, by field."""

    choice: Choice | None = None
    errors: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """The records of one series as they would leave."""

    preview: Preview
    unit: str
    rows: Sequence[tuple[datetime, float]]


async def ask(
    pages: Pages,
    context: RequestContext,
    question: DataRequest,
    errors: Mapping[str, Text] | None = None,
) -> web.StreamResponse:
    """Show what is asked, and what of it can be chosen."""
    house: House | None = None
    trouble: Text | None = None
    try:
        house = await pages.house()
    except HomeAssistantFault as fault:
        trouble = fault.text
    need = question.need
    return pages.page(
        context,
        "consent.html",
        status=422 if errors else 200,
        question=question,
        need=need,
        policy=need.policy_link,
        offers=_offers(need, house) if house else [],
        unknown=_unknown(need, house) if house else 0,
        trouble=trouble,
        errors=errors or {},
        filled=context.form,
        coarser=[interval for interval in Interval if interval.no_finer_than(need.interval)],
        by_name=consent_text.shown_by_name(need),
        by_point=need.identification is Identification.DELIVERY_POINT,
        wanted=need.directions,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
        quantities=consent_text.QUANTITIES,
        identifications=consent_text.IDENTIFICATIONS,
        Quantity=Quantity,
    )


async def look(
    pages: Pages, context: RequestContext, notice: Text | None = None
) -> web.StreamResponse:
    """Show the very records that would leave, and the words that would be agreed to."""
    question = await _proposed(pages, context)
    house = await pages.house()
    filled = _fill(context, question.need, house)
    if filled.choice is None:
        return await ask(pages, context, question, filled.errors)
    now = datetime.now(UTC)
    store = pages.node.store
    daily = all(series.interval is Interval.P1D for series in filled.choice.series)
    days = _CIVIL_DAYS_SHOWN if daily else _DAYS_SHOWN
    try:
        async with store.reading() as connection:
            await check(connection, pages.node.naming, question, filled.choice)
            off = await absences(connection)
        previews = await preview(
            pages.node.recorder,
            pages.node.naming,
            question,
            filled.choice,
            days=days,
            absences=off,
        )
    except (PermissionFault, Unsayable) as fault:
        return await ask(pages, context, question, _errors(fault))
    agreed = consent_text.grant(
        question.need, question.peer, filled.choice, now, context.language.tag
    )
    return pages.page(
        context,
        "preview.html",
        status=409 if notice else 200,
        notice=notice,
        question=question,
        need=question.need,
        agreed=agreed,
        shown=[_shown(records) for records in previews],
        days=days,
        past=_past(filled.choice, question.need),
        filled={name: context.form[name] for name in _FIELDS if name in context.form},
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )


async def allow(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Grant what was chosen, if it is what the page showed."""
    question = await _proposed(pages, context)
    house = await pages.house()
    filled = _fill(context, question.need, house)
    if filled.choice is None:
        return await ask(pages, context, question, filled.errors)
    shown = consent_text.grant(
        question.need, question.peer, filled.choice, datetime.now(UTC), context.language.tag
    )
    if context.typed("read") != shown.hash:
        return await look(pages, context, _READ_AGAIN)
    naming, signature = pages.node.naming, Signature(context.person.id, shown)
    try:
        async with pages.node.store.writing() as connection:
            await grant_it(connection, naming, question, filled.choice, signature)
    except (PermissionFault, Unsayable, NotPermitted) as fault:
        return await ask(pages, context, question, _errors(fault))
    pages.changed()
    return context.go(f"permissions/{question.permission.id}?done=granted")


async def named(pages: Pages, context: RequestContext) -> DataRequest:
    """Return the permission that an address names."""
    permission_id = PermissionId(context.request.match_info["permission"])
    async with pages.node.store.reading() as connection:
        try:
            return await data_request(connection, permission_id)
        except UnknownPermission as fault:
            raise refused(fault, 404) from fault


def refused(fault: Exception, status: int = 409) -> RequestRefused:
    """Return the page that says why a permission cannot be answered so."""
    words = message_of(fault)
    assert words is not None
    return RequestRefused(status, words)


_FIELDS = ("series", "interval", "history", "duration", "identification")


async def _proposed(pages: Pages, context: RequestContext) -> DataRequest:
    question = await named(pages, context)
    if question.permission.state is not State.PROPOSED:
        words = text("This was answered already.")
        raise RequestRefused(409, words)
    return question


def _offers(need: DataNeed, house: House) -> list[Offer]:
    """Return what may be ticked: what counts before what is measured, the dashboard's first."""
    offers = []
    for proposal in house.proposals:
        series = _series(proposal, need.interval, house)
        if series is not None and need.asks_for(series):
            offers.append(Offer(series, proposal.statistic.name, proposal.on_dashboard))
    return sorted(offers, key=lambda offer: offer.series.quantity is not Quantity.ENERGY)


def _unknown(need: DataNeed, house: House) -> int:
    """Count the statistics that could be shared if their direction were known."""
    quantities = {series.quantity for series in need.series}
    return sum(
        house.direction(proposal) is None and proposal.statistic.quantity in quantities
        for proposal in house.proposals
    )


def _series(proposal: Proposal, interval: Interval, house: House) -> Series | None:
    direction = house.direction(proposal)
    return None if direction is None else proposal.series(interval, house.time_zone, direction)


def _fill(context: RequestContext, need: DataNeed, house: House) -> ConsentForm:
    filled = ConsentForm()
    interval = _interval(context.typed("interval"), need, filled)
    series = _ticked(context.chosen("series"), interval, need, house, filled)
    history = _days(context, "history", 0, need.history_days, filled)
    duration = _days(context, "duration", 1, need.duration_days, filled)
    identification = need.identification
    by_point = identification is Identification.DELIVERY_POINT
    if by_point and context.typed("identification") == Identification.PSEUDONYM:
        identification = Identification.PSEUDONYM
    if not filled.errors:
        filled.choice = Choice(
            series=series,
            interval=interval,
            identification=identification,
            history_days=history,
            duration_days=duration,
        )
    return filled


def _interval(typed: str, need: DataNeed, filled: ConsentForm) -> Interval:
    if not typed:
        return need.interval
    if typed not in Interval or not Interval(typed).no_finer_than(need.interval):
        filled.errors["interval"] = NARROWER["interval"]
        return need.interval
    return Interval(typed)


def _ticked(
    typed: Sequence[str], interval: Interval, need: DataNeed, house: House, filled: ConsentForm
) -> frozenset[Series]:
    proposals = {proposal.statistic.id: proposal for proposal in house.proposals}
    series_chosen = set()
    for statistic in typed:
        proposal = next((named for name, named in proposals.items() if name == statistic), None)
        series = _series(proposal, interval, house) if proposal else None
        if series is None or not need.asks_for(series):
            filled.errors["series"] = _GONE.fill(statistic=statistic[:100])
        else:
            series_chosen.add(series)
    if not typed:
        filled.errors["series"] = _CHOOSE
    return frozenset(series_chosen)


def _days(
    context: RequestContext, name: str, least: int, most: int, filled: ConsentForm
) -> int | None:
    days = context.whole_number(name)
    if context.typed(name) and (days is None or not least <= days <= most):
        filled.errors[name] = _NOT_DAYS.fill(least=least, most=most)
    return days


def _errors(fault: Exception) -> dict[str, Text]:
    words = message_of(fault)
    assert words is not None
    return {"": words}


def _shown(preview: Preview) -> Shown:
    rows = [
        (datetime.fromtimestamp(float(second), UTC), float(value))
        for records in preview.data.records
        for second, value in sorted(records.values.items())
    ]
    return Shown(preview, unit(preview.series), rows)


def _past(choice: Choice, need: DataNeed) -> int:
    """Return how many records of the past would leave, about."""
    days = need.history_days if choice.history_days is None else choice.history_days
    return sum(days * 1440 // series.interval.minutes for series in choice.series)
