"""One member: its permissions, the coverage of its records, and the actions on it."""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from consometers_node.collective.calendar import Span
from consometers_node.collective.letters import register as letters_register
from consometers_node.collective.letters.register import DELIVERIES
from consometers_node.collective.members import invitations
from consometers_node.collective.members.member_overview import shares_by_direction
from consometers_node.collective.members.members import (
    MAX_AREA,
    MAX_NICKNAME,
    MAX_NOTE,
    Member,
    MemberKind,
    NoSite,
    NotByName,
    known_areas,
)
from consometers_node.collective.members.shares import Plant, all_plants, holdings
from consometers_node.collective.members.sites import (
    BUILDINGS,
    HEATS,
    MAX_NAME,
    MAX_PEAK_KWP,
    MAX_SHARES,
    MAX_SURFACE_M2,
    MAX_WORDS,
    Building,
    Description,
    Heat,
)
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.privacy import export as exported
from consometers_node.household.sharing.coverage import Calendar, DayState
from consometers_node.i18n.names import of_name
from consometers_node.i18n.text import Text, text
from consometers_node.permission import State
from consometers_node.series import Direction
from consometers_node.settings_file.formats import WEB_PAGE
from consometers_node.settings_file.schema import BadValue
from consometers_node.sharing import consent_text
from consometers_node.store.collective.member_series import MemberSeries, of_member
from consometers_node.store.collective.shown import shown_from
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.words import ACTORS, KINDS
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.calendar_svg import Strip, draw
from consometers_node.web.core.page_base import RequestRefused, send_file
from consometers_node.web.core.speech import numbered

from . import doubts

_YEAR = 365

_NO_PERMISSION = text("There is no such permission, or it has ended already.")
_LONG = text("Write 1 to {most} characters.")
_MOST = text("Write at most {most} characters.")
_WHOLE = text("Write a whole number, from 1 to {most}.")
_SHARES = text("Write a whole number, from 0 to {most}.")
_ABOVE_0 = text("Write a number above 0, up to {most}.")
_CHOICE = text("Choose one from the list.")
_SHARES_OF = text("Shares {of_plant}")
_TICK = text("Tick the box to confirm.")


@dataclass(frozen=True, slots=True)
class Year:
    """The last year in one direction."""

    direction: Direction
    calendar: Calendar
    halves: tuple[Strip, ...]


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show everything about a member but its records. The access is logged."""
    async with pages.store.writing() as connection:
        member = await pages.member_of(context, connection)
        await pages.note(connection, context, "page", member.id)
    return await _show(pages, context, member)


async def change_site(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show a member as a public building, under a name, or describe it otherwise."""
    errors: dict[str, Text] = {}
    name = _bounded(context, "name", MAX_NAME, errors)
    description = _described(context, errors)
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
    if member.kind is MemberKind.COLLECTIVE:
        raise NoSite
    if member.kind is not MemberKind.SITE and context.typed("sure") != "yes":
        errors["sure"] = _TICK
    if errors:
        return await _show(pages, context, member, errors)
    await pages.actions(context).show_as_site(member.id, name, description)
    return pages.done(context, member, "site")


async def rename(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Name a collective that is a member."""
    errors: dict[str, Text] = {}
    name = _bounded(context, "name", MAX_NAME, errors)
    website = None
    if typed := context.typed("website"):
        try:
            website = WEB_PAGE.parse(typed, Path())
        except BadValue:
            errors["website"] = WEB_PAGE.sentence
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
    if errors:
        return await _show(pages, context, member, errors)
    await pages.actions(context).rename(member.id, name, website)
    return pages.done(context, member, "name")


async def change_area(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store the commune of a member; none if the field is empty."""
    errors: dict[str, Text] = {}
    area = " ".join(_bounded(context, "area", MAX_AREA, errors, least=0).split())
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
    if not errors and area and (wrong := await pages.misspelt(area, member.id)):
        errors["area"] = wrong
    if errors:
        return await _show(pages, context, member, errors)
    await pages.actions(context).set_area(member.id, area or None)
    return pages.done(context, member, "area")


async def change_note(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store the administrators' name for a member and their note; an empty field removes either."""
    errors: dict[str, Text] = {}
    nickname = " ".join(_bounded(context, "nickname", MAX_NICKNAME, errors, least=0).split())
    note = _bounded(context, "note", MAX_NOTE, errors, least=0)
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
    if errors:
        return await _show(pages, context, member, errors)
    await pages.actions(context).set_note(member.id, note or None, nickname or None)
    return pages.done(context, member, "note")


async def change_shares(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store how many shares of each plant a member holds."""
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
        plants = await all_plants(connection)
    errors: dict[str, Text] = {}
    held = {}
    for plant in plants:
        if (field := shares_field(plant)) in context.form:
            shares = context.whole_number(field) if context.typed(field) else 0
            if shares is None or not 0 <= shares <= plant.total:
                errors[field] = numbered(_SHARES, most=plant.total)
            else:
                held[plant.id] = shares
    if errors:
        return await _show(pages, context, member, errors)
    await pages.actions(context).set_shares(member.id, held)
    return pages.done(context, member, "shares")


def shares_field(plant: Plant) -> str:
    """Return the name of the field for the shares of a plant."""
    return f"shares_{plant.pseudonym}"


def share_labels(context: AdminContext, plants: list[Plant]) -> dict[str, str]:
    """Return the labels of the fields of shares, by their names."""
    tag = context.language.tag
    return {
        shares_field(plant): _SHARES_OF.fill(of_plant=of_name(plant.name)).say(tag)
        for plant in plants
    }


async def confirm_end(
    pages: AdminPages, context: AdminContext, error: Text | None = None
) -> web.StreamResponse:
    """Ask for confirmation before a permission is ended."""
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
        permission = await _granted(context, connection, member)
    return pages.page(
        context,
        "member_end.html",
        status=422 if error else 200,
        member=member,
        name=_name(member),
        permission=permission,
        error=error,
    )


async def end(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """End a permission in the collective's name; its node is notified."""
    if context.typed("sure") != "yes":
        return await confirm_end(pages, context, _TICK)
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
        permission = await _granted(context, connection, member)
    await pages.actions(context).terminate(member.id, [permission.id])
    return pages.done(context, member, "ended")


async def confirm_erasure(
    pages: AdminPages, context: AdminContext, error: Text | None = None
) -> web.StreamResponse:
    """Ask for confirmation before a member is erased."""
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
        gave = await member_permissions.of_member(connection, member.id)
    return pages.page(
        context,
        "member_erase.html",
        status=422 if error else 200,
        member=member,
        name=_name(member),
        granted=sum(permission.state is State.GRANTED for permission in gave),
        account=member.jid is not None and pages.settings.xmpp.removes(member.jid),
        error=error,
    )


async def erase(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """End all permissions of a member, and erase all its data."""
    if context.typed("sure") != "yes":
        return await confirm_erasure(pages, context, _TICK)
    async with pages.store.reading() as connection:
        member = await pages.member_of(context, connection)
    account = context.typed("account") == "yes"
    await pages.actions(context).erase(member, account=account)
    return pages.done(context, member, "erased")


async def export(pages: AdminPages, context: AdminContext, ending: str) -> web.StreamResponse:
    """Stream all data about a member as JSON, or its records as CSV. The access is logged first."""
    async with pages.store.writing() as connection:
        member = await pages.member_of(context, connection)
        await pages.note(connection, context, f"export {ending}", member.id)
    name = f"{member.pseudonym}-{context.today.isoformat()}.{ending}"
    parts = exported.as_csv if ending == "csv" else exported.as_json
    async with pages.store.reading() as connection:
        return await send_file(context.request, name, parts(connection, member), pages.harden)


async def _show(
    pages: AdminPages, context: AdminContext, member: Member, errors: dict[str, Text] | None = None
) -> web.Response:
    window = Span.before(context.today, _YEAR)
    async with pages.store.reading() as connection:
        gave = await member_permissions.of_member(connection, member.id)
        register = await member_permissions.register(
            connection, [permission.id for permission in gave]
        )
        series = _each_once(await of_member(connection, member.jid)) if member.jid else []
        shares = await shares_by_direction(connection, member.id, window)
        communes = await known_areas(connection)
        invitation_note = (
            await invitations.note_of(connection, member.invitation_id)
            if member.invitation_id
            else ""
        )
        doubtful = await doubts.of_member(pages, connection, member)
        may_be_named = await shown_from(connection, member.id, context.now) is not None
        plants = await all_plants(connection)
        letters = await letters_register.of_member(connection, member.id)
        held = {
            holding.plant.id: holding.shares for holding in await holdings(connection, member.id)
        }
    permissions = [
        (permission, [entry for entry in register if entry.permission == permission.id])
        for permission in reversed(gave)
    ]
    if errors:
        member = _as_typed(context, member)
    return pages.page(
        context,
        "member.html",
        status=422 if errors else 200,
        member=member,
        name=_name(member),
        invitation_note=invitation_note,
        permissions=permissions,
        areas=communes,
        series=series,
        years=_years(series, shares, window, pages),
        heard=max(
            (gathered.last_received_at for gathered in series if gathered.last_received_at),
            default=None,
        ),
        doubts=doubtful,
        shown=doubts.SHOWN,
        most_kw=doubts.MOST_KW,
        proofs=doubts.PROOFS,
        letters=[(letter, DELIVERIES[letter.delivery(context.now)]) for letter in letters],
        is_writable=member.kind is not MemberKind.COLLECTIVE
        and any(permission.state is State.GRANTED for permission in gave),
        not_by_name=None if may_be_named else NotByName().text,
        plant=next((plant for plant in plants if plant.id == member.id), None),
        plants={shares_field(plant): (plant, held.get(plant.id)) for plant in plants},
        share_labels=share_labels(context, plants),
        errors=errors or {},
        typed=context.form,
        kinds=KINDS,
        actors=ACTORS,
        states=consent_text.STATES,
        intervals=consent_text.INTERVALS,
        directions=consent_text.DIRECTIONS,
        identifications=consent_text.IDENTIFICATIONS,
        buildings=BUILDINGS,
        heats=HEATS,
        MemberKind=MemberKind,
        most={
            "name": MAX_NAME,
            "nickname": MAX_NICKNAME,
            "area": MAX_AREA,
            "words": MAX_WORDS,
            "note": MAX_NOTE,
        },
    )


def _each_once(granted: list[MemberSeries]) -> list[MemberSeries]:
    """Return each series, by the permission that reaches furthest back."""
    return list({gathered.identifier: gathered for gathered in reversed(granted)}.values())[::-1]


def _years(
    series: list[MemberSeries],
    shares: dict[Direction, dict[date, float]],
    window: Span,
    pages: AdminPages,
) -> list[Year]:
    """Return the calendar of each direction in which a member sends, or has sent."""
    zone = pages.settings.time_zone
    granted = {
        direction: [
            (
                gathered.records.start.astimezone(zone),
                (gathered.records.end.astimezone(zone) - timedelta(days=1)).date(),
            )
            for gathered in series
            if gathered.series is not None and gathered.series.direction is direction
        ]
        for direction in Direction
    }
    years = []
    for direction in Direction:
        spans, days = granted[direction], shares.get(direction, {})
        if not spans and not days:
            continue
        # A day granted only in part cannot be complete.
        partial_days = {start.date() for start, _ in spans if start.time() != time.min}
        states = [
            DayState.COMPLETE
            if days.get(day, 0) >= 1
            else DayState.OUTSIDE
            if day in partial_days
            else DayState.PARTLY
            if days.get(day, 0) > 0
            else DayState.MISSING
            if any(start.date() <= day <= last for start, last in spans)
            else DayState.OUTSIDE
            for day in window
        ]
        calendar = Calendar(window.first, states)
        years.append(Year(direction, calendar, draw(calendar)))
    return years


async def _granted(
    context: AdminContext, connection: AsyncConnection, member: Member
) -> MemberPermission:
    permission = await member_permissions.get(
        connection, MemberPermissionId(context.named("permission"))
    )
    if permission.member != member.id or permission.state is not State.GRANTED:
        raise RequestRefused(404, _NO_PERMISSION)
    return permission


def _name(member: Member) -> str:
    return member.title


def _bounded(
    context: AdminContext, field: str, most: int, errors: dict[str, Text], *, least: int = 1
) -> str:
    typed = context.typed(field)
    if not least <= len(typed) <= most:
        errors[field] = numbered(_LONG if least else _MOST, most=most)
    return typed


def _described(context: AdminContext, errors: dict[str, Text]) -> Description:
    facts: dict[str, Any] = {
        field: _bounded(context, field, MAX_WORDS, errors, least=0)
        for field in ("words_fr", "words_en")
    }
    for field, kind in (("building", Building), ("heating", Heat), ("hot_water", Heat)):
        if typed := context.typed(field):
            try:
                facts[field] = kind(typed)
            except ValueError:
                errors[field] = _CHOICE
    for field, most in (
        ("surface_m2", MAX_SURFACE_M2),
        ("peak_kwp", MAX_PEAK_KWP),
        ("shares", MAX_SHARES),
    ):
        if typed := context.typed(field).replace(",", ".").replace("\u202f", ""):
            is_whole = field != "peak_kwp"
            value = _float(typed, whole=is_whole)
            if value is None or not 0 < value <= most:
                errors[field] = numbered(_WHOLE if is_whole else _ABOVE_0, most=most)
            else:
                facts[field] = value
    return Description() if errors else Description(**facts)


def _float(typed: str, *, whole: bool) -> float | None:
    try:
        value = float(typed)
        return round(value) if whole else value
    except ValueError, OverflowError:
        return None


def _as_typed(context: AdminContext, member: Member) -> Member:
    """Return a member with the submitted description, for the form to be corrected."""
    area = context.typed("area") if "area" in context.form else member.area
    name = (
        context.typed("name")
        if "name" in context.form and member.kind is not MemberKind.HOME
        else None
    )
    website = context.typed("website") if "website" in context.form else member.website
    return replace(member, area=area, name=name or member.name, website=website)
