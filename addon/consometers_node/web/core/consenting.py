"""Pages on which a node of either role answers data needs: choose, preview, answer.

A household chooses statistics of its home, a collective its sums: `Choosable` is what differs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from aiohttp import web

from consometers_node.i18n.text import Text, text
from consometers_node.permission import (
    Choice,
    DataNeed,
    Identification,
    PermissionFault,
    Permissions,
    ShownText,
    Signature,
    State,
    UnknownPermission,
    subscribed,
)
from consometers_node.series import Device, Interval, Quantity, Record, Series
from consometers_node.sharing import consent_text
from consometers_node.sharing.error_messages import NARROWER, message_of
from consometers_node.sharing.permissions.consent import (
    DataRequest,
    Decisions,
    Preview,
    check,
    data_request,
)
from consometers_node.sharing.permissions.sum_requests import objections_to_directions
from consometers_node.store import NotPermitted, PermissionId, Store
from consometers_node.wire import Naming, Unsayable
from consometers_node.wire.encode import unit
from consometers_quoalise import Role

from .page_base import PageBase, RequestRefused
from .request_context import FilledForm, RequestContext

_DAYS_SHOWN = 1
_CIVIL_DAYS_SHOWN = 8

_CHOOSE = text("Choose at least one series: none is chosen for you.")
_NOT_DAYS = text("Write a whole number of days, from {least} to {most}.")
_NOT_A_CODE = text(
    "A code has four groups of five letters, such as {example}. Compare it with your sheet, letter"
    " by letter."
)
_READ_AGAIN = text(
    "This data request changed since you read it. Here is the present version: read it, then"
    " allow it."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A series that may be ticked; `value` is what its box sends."""

    series: Series
    value: str
    name: Text | None
    on_dashboard: bool = False


class Unlisted(RequestRefused):
    """The candidates cannot be listed at present."""

    def __init__(self, words: Text) -> None:
        super().__init__(503, words)


class NotOffered(Exception):
    """A ticked series does not exist. `words` say so."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.words = words


class Choosable(Protocol):
    """This node's candidates for a data need."""

    @property
    def offers(self) -> Sequence[Offer]:
        """What may be ticked, in the order of the page."""
        ...

    @property
    def unknown(self) -> int:
        """How many more series could be shared if their direction were known."""
        ...

    @property
    def intervals(self) -> Sequence[Interval]:
        """The possible intervals, the finest first."""
        ...

    @property
    def subscribed_kva(self) -> Mapping[Device, int]:
        """The subscribed power of the meters of series, of those that say it."""
        ...

    def series(self, value: str, interval: Interval) -> Series:
        """Return the series that a box means, at an interval. Raises `NotOffered`."""
        ...

    async def preview(self, choice: Choice, days: int) -> Sequence[Preview]:
        """Return the records of the last days that would leave."""
        ...


class ConsentPages[C: RequestContext[Any]](PageBase, ABC):
    """Pages that answer data needs. `C` is a request of its role."""

    role: ClassVar[Role]
    section: ClassVar[str] = ""
    """The path of these pages, from the first page of the role."""
    store: Store

    @abstractmethod
    async def naming(self) -> Naming:
        """Return the naming of this node's series."""

    async def names(self, language: str) -> Mapping[str, str]:
        """Return the display names of series' devices in a language, where they differ."""
        return {}

    @abstractmethod
    async def choosable(self, question: DataRequest) -> Choosable:
        """Return this node's candidates. Raises `Unlisted`."""

    async def objection(self, question: DataRequest, *, connects: bool) -> Text | None:
        """Return why a data need cannot be granted at all, whatever is ticked.

        Only with `connects` are the addresses that it states looked at.
        """
        return None

    def sum_problem(self, permission_id: PermissionId) -> Text | None:
        """Return the problem of a permission at the witness of its sums."""
        return None

    @abstractmethod
    def consent_page(
        self, context: C, template: str, *, status: int = 200, **model: Any
    ) -> web.Response:
        """Render a template that both roles have."""

    @abstractmethod
    def signer(self, context: C) -> str:
        """Return the register's name for the person who answers."""

    @abstractmethod
    def person_named(self, who: str) -> str:
        """Return the display name of a person who answered."""

    @abstractmethod
    def decisions(self, context: C) -> Decisions:
        """Return the object that answers for the person who asks."""

    @abstractmethod
    def changed(self) -> None:
        """Wake the node after a change."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The records of one series as they would leave."""

    preview: Preview
    unit: str
    rows: Sequence[tuple[datetime, float]]
    members: Mapping[datetime, int]
    """How many homes are in each sum."""
    masked: Mapping[datetime, str]
    """What would leave instead of each value, where only sums may be read."""


async def ask[C: RequestContext[Any]](
    pages: ConsentPages[C],
    context: C,
    question: DataRequest,
    errors: Mapping[str, Text] | None = None,
    objection: Text | None = None,
) -> web.StreamResponse:
    """Show the request, and the series to choose from; nothing that it names is looked at."""
    choosable: Choosable | None = None
    trouble: Text | None = None
    objection = objection or await pages.objection(question, connects=False)
    try:
        choosable = await pages.choosable(question)
    except Unlisted as refused_:
        trouble = refused_.words
    need = question.need
    async with pages.store.reading() as connection:
        granted = await Permissions(connection).all(question.peer.id)
    return pages.consent_page(
        context,
        "consent.html",
        status=422 if errors else 200,
        question=question,
        need=need,
        policy=need.policy_link,
        powers=_all_powers(need, choosable) if choosable else {},
        offers=choosable.offers if choosable else [],
        unknown=choosable.unknown if choosable else 0,
        trouble=trouble,
        objection=objection,
        blocked=objections_to_directions(need, granted),
        who_could_read=consent_text.WHO_COULD_READ,
        errors=errors or {},
        filled=context.form,
        coarser=choosable.intervals if choosable else [],
        by_name=consent_text.shown_by_name(need),
        by_point=need.identification is Identification.DELIVERY_POINT
        and pages.role is Role.HOUSEHOLD,
        wanted=need.directions,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
        quantities=consent_text.QUANTITIES,
        identifications=consent_text.IDENTIFICATIONS,
        Quantity=Quantity,
    )


async def look[C: RequestContext[Any]](
    pages: ConsentPages[C],
    context: C,
    notice: Text | None = None,
    errors: Mapping[str, Text] | None = None,
) -> web.StreamResponse:
    """Show the very records that would leave, the text to agree to, and the field of a code."""
    question = await _proposed(pages, context)
    choosable = await pages.choosable(question)
    filled = _fill(context, question.need, choosable)
    if filled.value is None:
        return await ask(pages, context, question, filled.errors)
    if (objection := await pages.objection(question, connects=True)) is not None:
        return await ask(pages, context, question, objection=objection)
    daily = all(series.interval is Interval.P1D for series in filled.value.series)
    days = _CIVIL_DAYS_SHOWN if daily else _DAYS_SHOWN
    try:
        naming = await pages.naming()
        async with pages.store.reading() as connection:
            await check(connection, naming, question, filled.value)
        previews = await choosable.preview(filled.value, days)
    except (PermissionFault, Unsayable) as fault:
        return await ask(pages, context, question, {"": reason(fault)})
    return pages.consent_page(
        context,
        "preview.html",
        status=409 if notice else 422 if errors else 200,
        notice=notice,
        errors=errors or {},
        code=context.typed("code"),
        question=question,
        need=question.need,
        agreed=_agreed(pages, context, question, filled.value),
        powers=subscribed(question.need, filled.value),
        shown=[_shown(records, question) for records in previews],
        days=days,
        past=_past(filled.value, question.need),
        filled={name: context.form[name] for name in _FIELDS if name in context.form},
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )


async def allow[C: RequestContext[Any]](pages: ConsentPages[C], context: C) -> web.StreamResponse:
    """Grant the choice, if it is the one that the page showed."""
    question = await _proposed(pages, context)
    filled = _fill(context, question.need, await pages.choosable(question))
    if filled.value is None:
        return await ask(pages, context, question, filled.errors)
    if (objection := await pages.objection(question, connects=True)) is not None:
        return await ask(pages, context, question, objection=objection)
    shown = _agreed(pages, context, question, filled.value)
    if context.typed("read") != shown.hash:
        return await look(pages, context, _READ_AGAIN)
    code = typed_code(context) if question.need.witness is not None else None
    if isinstance(code, Text):
        return await look(pages, context, errors={"code": code})
    signature = Signature(pages.signer(context), shown)
    try:
        naming = await pages.naming()
        await pages.decisions(context).grant(naming, question, filled.value, signature, code=code)
    except (PermissionFault, Unsayable, NotPermitted) as fault:
        return await ask(pages, context, question, {"": reason(fault)})
    pages.changed()
    return context.go(f"{pages.section}permissions/{question.permission.id}?done=granted")


def typed_code(context: RequestContext[Any]) -> str | Text:
    """Return the typed code of a witness, or what is wrong with it."""
    # A home without protected sums never loads them.
    from consometers_protected_sums import codes, errors  # noqa: PLC0415

    try:
        return codes.read(context.typed("code"))
    except errors.NoCode:
        return _NOT_A_CODE.fill(example=codes.EXAMPLE)


async def named[C: RequestContext[Any]](pages: ConsentPages[C], context: C) -> DataRequest:
    """Return the permission in the URL."""
    permission_id = PermissionId(context.named("permission"))
    async with pages.store.reading() as connection:
        try:
            return await data_request(connection, permission_id)
        except UnknownPermission as fault:
            raise refused(fault, 404) from fault


def refused(fault: Exception, status: int = 409) -> RequestRefused:
    """Return the page that says why a permission cannot be answered so."""
    return RequestRefused(status, reason(fault))


def reason(fault: Exception) -> Text:
    """Return the message for an error of permissions, or of a series that has no name."""
    words = message_of(fault)
    assert words is not None
    return words


_FIELDS = ("series", "interval", "history", "duration", "identification")


async def _proposed[C: RequestContext[Any]](pages: ConsentPages[C], context: C) -> DataRequest:
    question = await named(pages, context)
    if question.permission.state is not State.PROPOSED:
        words = text("This was answered already.")
        raise RequestRefused(409, words)
    return question


def _agreed[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C, question: DataRequest, choice: Choice
) -> ShownText:
    """Return the text to read before this choice is granted."""
    need, peer, language = question.need, question.peer, context.language.tag
    return consent_text.grant(need, peer, choice, datetime.now(UTC), language, role=pages.role)


def _all_powers(need: DataNeed, choosable: Choosable) -> Mapping[Series, int]:
    """Return the subscribed powers that would leave if all were ticked."""
    everything = frozenset(offer.series for offer in choosable.offers)
    return subscribed(need, Choice(series=everything, subscribed_kva=choosable.subscribed_kva))


def _fill(context: RequestContext[Any], need: DataNeed, choosable: Choosable) -> FilledForm[Choice]:
    filled = FilledForm[Choice]()
    interval = _interval(context.typed("interval"), need, filled)
    series = _ticked(context.chosen("series"), interval, choosable, filled)
    history = _days(context, "history", 0, need.history_days, filled)
    duration = _days(context, "duration", 1, need.duration_days, filled)
    identification = need.identification
    by_point = identification is Identification.DELIVERY_POINT
    if by_point and context.typed("identification") == Identification.PSEUDONYM:
        identification = Identification.PSEUDONYM
    if not filled.errors:
        filled.value = Choice(
            series=series,
            interval=interval,
            identification=identification,
            history_days=history,
            duration_days=duration,
            subscribed_kva=choosable.subscribed_kva,
        )
    return filled


def _interval(typed: str, need: DataNeed, filled: FilledForm[Choice]) -> Interval:
    if not typed:
        return need.interval
    if typed not in Interval or not Interval(typed).no_finer_than(need.interval):
        filled.errors["interval"] = NARROWER["interval"]
        return need.interval
    return Interval(typed)


def _ticked(
    typed: Sequence[str], interval: Interval, choosable: Choosable, filled: FilledForm[Choice]
) -> frozenset[Series]:
    ticked = set()
    for value in typed:
        try:
            ticked.add(choosable.series(value, interval))
        except NotOffered as fault:
            filled.errors["series"] = fault.words
    if not typed:
        filled.errors["series"] = _CHOOSE
    return frozenset(ticked)


def _days(
    context: RequestContext[Any], name: str, least: int, most: int, filled: FilledForm[Choice]
) -> int | None:
    days = context.whole_number(name)
    if context.typed(name) and (days is None or not least <= days <= most):
        filled.errors[name] = _NOT_DAYS.fill(least=least, most=most)
    return days


def _shown(preview: Preview, question: DataRequest) -> Shown:
    values, members = (
        {
            datetime.fromtimestamp(float(second), UTC): value
            for records in preview.data.records
            if records.name == str(name)
            for second, value in records.values.items()
        }
        for name in (preview.name, preview.name.members)
    )
    rows = [(at, float(value)) for at, value in sorted(values.items())]
    counts = {at: int(count) for at, count in members.items()}
    if question.need.witness is None:
        return Shown(preview, unit(preview.series), rows, counts, {})
    # A mean power in W over an hour is so many Wh, which are what is summed.
    masked = _masked(preview.series, question, rows)
    return Shown(preview, Quantity.ENERGY.unit, rows, counts, masked)


def _masked(
    series: Series, question: DataRequest, rows: Sequence[tuple[datetime, float]]
) -> Mapping[datetime, str]:
    """Return how masked values begin, with keys of this page, as the home's own come later."""
    # A home without protected sums never loads them.
    from consometers_node.sharing.records.masked_reports import HomeKeys, mask  # noqa: PLC0415
    from consometers_protected_sums.field import ELEMENT_BYTES  # noqa: PLC0415

    keys = HomeKeys.new(datetime.now(UTC).date())
    records = [Record(at, round(value)) for at, value in rows]
    masked = mask(keys, question.peer.jid, question.permission.id, series, records)
    return {report.hour: f"{report.masked[:ELEMENT_BYTES].hex()}…" for report in masked.reports}


def _past(choice: Choice, need: DataNeed) -> int:
    """Return about how many records of the past would leave."""
    days = need.history_days if choice.history_days is None else choice.history_days
    return sum(days * 1440 // series.interval.minutes for series in choice.series)
