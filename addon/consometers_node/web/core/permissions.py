"""Permissions: their history, the accesses, and their end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from sqlalchemy.exc import DBAPIError

from consometers_node.i18n.text import Text, text
from consometers_node.permission import (
    Actor,
    NoticeReceipt,
    PermissionFault,
    Permissions,
    RegisterEntry,
    ShownText,
    Signature,
    State,
)
from consometers_node.series import Series
from consometers_node.sharing import consent_text
from consometers_node.sharing.permissions.consent import DataRequest, data_request
from consometers_node.store import NotPermitted, PermissionId, SeriesId, Store
from consometers_node.store.answers import latest_answers, total_of_answers
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import set_code
from consometers_node.store.peers import Subscription, subscriptions
from consometers_node.store.series import all_series
from consometers_node.wire import Naming, Unsayable
from consometers_quoalise import QuoaliseError
from consometers_quoalise.elements.markup import parse
from consometers_quoalise.federation import permissions_xml

from .consenting import ConsentPages, ask, named, refused, typed_code
from .page_base import RequestRefused
from .request_context import RequestContext

if TYPE_CHECKING:
    from consometers_node.sharing.openings import Openings

MOST_ANSWERS = 100
_NO_CODE = text("This permission needs no code.")
_NOT_SAID = text("Choose whether to erase the received data.")


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the register: the change, the person, the text read."""

    entry: RegisterEntry
    who: str
    shown: ShownText | None
    receipt: NoticeReceipt | None
    erased: int | None
    """The number of erased records in the receipt."""


@dataclass(frozen=True, slots=True)
class Name:
    """A series, and the name by which the collective knows it."""

    series_id: SeriesId | None
    series: Series
    identifier: str
    subscription: Subscription | None


async def show_all[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C
) -> web.StreamResponse:
    """Show all permissions, the newest first."""
    return pages.consent_page(context, "permissions.html", **await listed(pages.store))


async def listed(store: Store) -> dict[str, Any]:
    """Return all permissions for the cards of a page, the newest first."""
    async with store.reading() as connection:
        register = Permissions(connection)
        requests = [
            await data_request(connection, permission.id) for permission in await register.all()
        ]
        last = {
            request.permission.id: (await register.entries(request.permission.id))[-1]
            for request in requests
        }
    requests.sort(key=lambda request: last[request.permission.id].at, reverse=True)
    return {"every": requests, "last": last, **_WORDS}


async def show[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    """Show a pending request with its answers, or a permission in full."""
    question = await named(pages, context)
    if question.permission.state is State.PROPOSED:
        return await ask(pages, context, question)
    naming = await pages.naming()
    async with pages.store.reading() as connection:
        may_leave = await Permissions(connection).may_leave(question.permission.id)
        changes = await _changes(connection, question.permission.id, pages)
        names = await _names(connection, question, naming)
        read = await latest_answers(connection, question.permission.id, MOST_ANSWERS)
        total = await total_of_answers(connection, question.permission.id)
        series_by_id = await all_series(connection)
        openings = await _openings(connection, question)
    titles = await pages.names(context.language.tag)
    return pages.consent_page(
        context,
        "permission.html",
        status=422 if errors else 200,
        errors=errors or {},
        code=context.typed("code"),
        question=question,
        terms=question.permission.terms,
        by_name=consent_text.shown_by_name(question.need),
        may_leave=may_leave,
        not_registered=consent_text.NOT_REGISTERED,
        still_leaves=consent_text.STILL_LEAVES,
        changes=changes,
        names=names,
        titles=titles,
        total=total,
        read=[(answer, series_by_id[answer.series_id]) for answer in read],
        most=MOST_ANSWERS,
        policy=question.need.policy_link,
        openings=openings,
        problem=pages.sum_problem(question.permission.id),
        who_could_read=consent_text.WHO_COULD_READ,
        **_WORDS,
    )


async def confirm_withdrawal[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C
) -> web.StreamResponse:
    """Ask how to withdraw, and explain both ways."""
    question = await named(pages, context)
    try:
        question.permission.expect(State.WITHDRAWN)
    except PermissionFault as fault:
        raise refused(fault) from fault
    tag = context.language.tag
    return pages.consent_page(
        context,
        "withdraw.html",
        question=question,
        erase=consent_text.withdrawal(question.need, tag, erase=True, role=pages.role).body,
        keep=consent_text.withdrawal(question.need, tag, erase=False, role=pages.role).body,
    )


async def withdraw[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C
) -> web.StreamResponse:
    """Withdraw a permission at once."""
    question = await named(pages, context)
    data = context.typed("data")
    if data not in {"erase", "keep"}:
        raise RequestRefused(422, _NOT_SAID)
    erase = data == "erase"
    tag = context.language.tag
    shown = consent_text.withdrawal(question.need, tag, erase=erase, role=pages.role)
    signature = Signature(pages.signer(context), shown)
    try:
        await pages.decisions(context).withdraw(question, signature, erase=erase)
    except PermissionFault as fault:
        raise refused(fault) from fault
    except DBAPIError as fault:
        raise RequestRefused(503, consent_text.STILL_LEAVES) from fault
    pages.changed()
    return context.go(f"{pages.section}permissions/{question.permission.id}?done=withdrawn")


async def enter_code[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C
) -> web.StreamResponse:
    """Store the code that the witness of a permission gave to the household."""
    question = await named(pages, context)
    if question.need.witness is None or question.permission.state is not State.GRANTED:
        raise RequestRefused(409, _NO_CODE)
    code = typed_code(context)
    if isinstance(code, Text):
        return await show(pages, context, {"code": code})
    async with pages.store.writing() as connection:
        await set_code(connection, question.permission.id, code)
    pages.changed()
    return context.go(f"{pages.section}permissions/{question.permission.id}?done=code")


async def refuse[C: RequestContext[Any]](pages: ConsentPages[C], context: C) -> web.StreamResponse:
    """Refuse a request."""
    question = await named(pages, context)
    shown = consent_text.refusal(question.need, context.language.tag, role=pages.role)
    try:
        await pages.decisions(context).refuse(question, Signature(pages.signer(context), shown))
    except (PermissionFault, NotPermitted) as fault:
        raise refused(fault) from fault
    pages.changed()
    return context.go(f"{pages.section}permissions/{question.permission.id}?done=refused")


_WORDS: Mapping[str, Any] = {
    "states": consent_text.STATES,
    "directions": consent_text.DIRECTIONS,
    "intervals": consent_text.INTERVALS,
    "identifications": consent_text.IDENTIFICATIONS,
    "State": State,
    "Actor": Actor,
}


async def _openings(connection: AsyncConnection, question: DataRequest) -> Openings | None:
    if question.need.witness is None:
        return None
    # A node without protected sums never loads them.
    from consometers_node.sharing.openings import all_openings  # noqa: PLC0415

    return (await all_openings(connection)).get(question.permission.id)


async def _changes[C: RequestContext[Any]](
    connection: AsyncConnection, permission_id: PermissionId, pages: ConsentPages[C]
) -> list[Change]:
    register = Permissions(connection)
    receipts = {record.seq: record for record in await register.receipts(permission_id)}
    changes = []
    for entry in await register.entries(permission_id):
        is_person = entry.actor is Actor.HOUSEHOLD and entry.who is not None
        who = pages.person_named(entry.who) if is_person and entry.who else entry.who or ""
        record = receipts.get(entry.seq)
        shown = await register.shown_text(entry)
        changes.append(Change(entry, who, shown, record, _erased(record)))
    return changes[::-1]


def _erased(record: NoticeReceipt | None) -> int | None:
    if record is None or record.receipt is None or not record.receipt.startswith("<"):
        return None
    try:
        receipt = permissions_xml.read_receipt(parse(record.receipt.encode()))
    except QuoaliseError:
        return None
    return sum(erasure.records for erasure in receipt.erased) if record.erase else None


async def _names(connection: AsyncConnection, question: DataRequest, naming: Naming) -> list[Name]:
    terms = question.permission.terms
    if terms is None:
        return []
    peer = question.peer
    try:
        names = naming.names(terms.series, peer.jid, terms.identification)
    except Unsayable:
        return []
    ids = {series: series_id for series_id, series in (await all_series(connection)).items()}
    subscribed = {
        subscription.series_id: subscription
        for subscription in await subscriptions(connection, peer.id)
    }
    listed = []
    for identifier, series in names.items():
        series_id = ids.get(series)
        subscription = subscribed.get(series_id) if series_id is not None else None
        listed.append(Name(series_id, series, str(identifier), subscription))
    return listed
