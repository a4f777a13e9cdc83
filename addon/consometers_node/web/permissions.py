"""What was asked and answered, since when, what was confirmed and read; and how to stop it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import (
    Actor,
    Entry,
    PermissionFault,
    Permissions,
    ShownText,
    Signature,
    State,
    Told,
    UnknownPermission,
)
from ..quoalise import QuoaliseError, federation_xml
from ..quoalise.markup import parse
from ..quoalise.text import text
from ..series import Series
from ..sharing import consent_text
from ..sharing.consent import Asked, asked, expect
from ..sharing.error_messages import said_of
from ..store import NotPermitted, PermissionId, SeriesId
from ..store.answers import Answer, latest_answers
from ..store.series import all_series
from ..store.subscriptions import Subscription, subscriptions
from ..wire import Unsayable
from . import consenting
from .handlers import Desk, Refused
from .visit import Visit

MOST_ANSWERS = 100
_NOT_SAID = text("Say whether what was received is to be erased.")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the register: what happened, who did it, what they had read."""

    entry: Entry
    who: str
    shown: ShownText | None
    told: Told | None
    erased: int | None
    """How many records the receipt says were erased."""


@dataclass(frozen=True, slots=True)
class Name:
    """A series, and the name by which the collective knows it."""

    number: SeriesId | None
    series: Series
    identifier: str
    subscription: Subscription | None


async def show_all(desk: Desk, visit: Visit) -> web.StreamResponse:
    """List all permissions, the newest first."""
    async with desk.node.store.reading() as connection:
        register = Permissions(connection)
        every = [await asked(connection, one.id) for one in await register.all()]
        last = {one.permission.id: (await register.entries(one.permission.id))[-1] for one in every}
    every.sort(key=lambda one: last[one.permission.id].at, reverse=True)
    return desk.page(visit, "permissions.html", every=every, last=last, **_WORDS)


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Show what is asked and let it be answered, or tell all of what was."""
    question = await named(desk, visit)
    if question.permission.state is State.PROPOSED:
        return await consenting.ask(desk, visit, question)
    async with desk.node.store.reading() as connection:
        may_leave = await Permissions(connection).may_leave(question.permission.id)
        changes = await _changes(connection, question.permission.id, desk)
        names = await _names(connection, question, desk)
        read = await latest_answers(connection, question.permission.id, MOST_ANSWERS)
        numbers = await all_series(connection)
    return desk.page(
        visit,
        "permission.html",
        question=question,
        terms=question.permission.terms,
        by_name=consent_text.shown_by_name(question.need),
        may_leave=may_leave,
        not_registered=consent_text.NOT_REGISTERED,
        still_leaves=consent_text.STILL_LEAVES,
        changes=changes,
        names=names,
        read=_readings(read, numbers),
        most=MOST_ANSWERS,
        policy=consenting.policy(question.need),
        **_WORDS,
    )


async def confirm_withdrawal(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Ask how to withdraw, with what either way means."""
    question = await named(desk, visit)
    _expect(question, State.WITHDRAWN)
    tag = visit.language.tag
    return desk.page(
        visit,
        "withdraw.html",
        question=question,
        erase=consent_text.withdrawal(question.need, tag, erase=True).body,
        keep=consent_text.withdrawal(question.need, tag, erase=False).body,
    )


async def withdraw(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Withdraw a permission at once."""
    question = await named(desk, visit)
    data = visit.typed("data")
    if data not in {"erase", "keep"}:
        raise Refused(422, _NOT_SAID)
    erase = data == "erase"
    shown = consent_text.withdrawal(question.need, visit.language.tag, erase=erase)
    number = question.permission.id
    try:
        async with desk.node.store.withdrawing() as connection:
            signature = Signature(visit.person.id, shown)
            now = datetime.now(UTC)
            await Permissions(connection).withdraw(number, signature, now, erase=erase)
    except PermissionFault as fault:
        raise _refused(fault) from fault
    except DBAPIError as fault:
        raise Refused(503, consent_text.STILL_LEAVES) from fault
    desk.changed()
    return visit.go(f"permissions/{number}?done=withdrawn")


async def refuse(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Say no."""
    question = await named(desk, visit)
    shown = consent_text.refusal(question.need, visit.language.tag)
    number = question.permission.id
    try:
        async with desk.node.store.writing() as connection:
            signature = Signature(visit.person.id, shown)
            await Permissions(connection).refuse(number, signature, datetime.now(UTC))
    except (PermissionFault, NotPermitted) as fault:
        raise _refused(fault) from fault
    desk.changed()
    return visit.go(f"permissions/{number}?done=refused")


async def named(desk: Desk, visit: Visit) -> Asked:
    """Return the permission that an address names."""
    number = PermissionId(visit.request.match_info["permission"])
    async with desk.node.store.reading() as connection:
        try:
            return await asked(connection, number)
        except UnknownPermission as fault:
            raise _refused(fault, 404) from fault


_WORDS: Mapping[str, Any] = {
    "states": consent_text.STATES,
    "directions": consent_text.DIRECTIONS,
    "intervals": consent_text.INTERVALS,
    "identifications": consent_text.IDENTIFICATIONS,
    "State": State,
    "Actor": Actor,
}


def _expect(question: Asked, state: State) -> None:
    try:
        expect(question, state)
    except PermissionFault as fault:
        raise _refused(fault) from fault


def _refused(fault: Exception, status: int = 409) -> Refused:
    said = said_of(fault)
    assert said is not None
    return Refused(status, said)


async def _changes(connection: AsyncConnection, number: PermissionId, desk: Desk) -> list[Change]:
    register = Permissions(connection)
    receipts = {one.seq: one for one in await register.receipts(number)}
    changes = []
    for entry in await register.entries(number):
        is_person = entry.actor is Actor.HOUSEHOLD and entry.who is not None
        who = desk.people.name(entry.who) if is_person and entry.who else entry.who or ""
        told = receipts.get(entry.seq)
        shown = await register.shown_text(entry)
        changes.append(Change(entry, who, shown, told, _erased(told)))
    return changes[::-1]


def _erased(told: Told | None) -> int | None:
    if told is None or told.receipt is None or not told.receipt.startswith("<"):
        return None
    try:
        receipt = federation_xml.read_receipt(parse(told.receipt.encode()))
    except QuoaliseError:
        return None
    return sum(one.records for one in receipt.erased) if told.erase else None


async def _names(connection: AsyncConnection, question: Asked, desk: Desk) -> list[Name]:
    terms = question.permission.terms
    if terms is None:
        return []
    peer = question.peer
    try:
        found = desk.node.naming.names(terms.series, peer.jid, terms.identification)
    except Unsayable:
        return []
    numbers = {one: number for number, one in (await all_series(connection)).items()}
    told = {one.series_id: one for one in await subscriptions(connection, peer.id)}
    named_so = []
    for identifier, series in found.items():
        number = numbers.get(series)
        subscription = told.get(number) if number is not None else None
        named_so.append(Name(number, series, str(identifier), subscription))
    return named_so


def _readings(
    answers: Sequence[Answer], numbers: Mapping[SeriesId, Series]
) -> list[tuple[Answer, Series]]:
    return [(one, numbers[one.series_id]) for one in answers]
