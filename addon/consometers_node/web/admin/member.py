"""One member: what it allowed, how much of that is there, and what can be done for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.calendar import Span
from ...collective.errors import NoSite, NotByName
from ...collective.members.member_overview import shares_by_direction
from ...collective.members.members import MAX_AREA, Kind, Member, Members, known_areas
from ...collective.members.sites import (
    BUILDINGS,
    HEATS,
    MAX_NAME,
    MAX_PEAK_KWP,
    MAX_SURFACE_M2,
    MAX_WORDS,
    Building,
    Description,
    Heat,
)
from ...collective.permissions import member_permissions
from ...collective.permissions.member_permissions import Entry, MemberPermission
from ...collective.privacy import export as exported
from ...collective.privacy.erasure import erase_member
from ...household.coverage import Calendar, Kept
from ...permission import State
from ...quoalise import Text
from ...quoalise.text import text
from ...series import Direction
from ...sharing import consent_text
from ...store.collective_tables import GivenId
from ...store.member_series import MemberSeries, of_member
from ...store.shown import shown_from
from ..calendar_svg import Strip, draw
from . import doubts
from .handlers import AdminDesk, Refused
from .visit import Visit
from .whose import done, member_of, misspelt
from .words import ACTORS, KINDS, numbered

_YEAR = 365
_AT_ONCE = 64 * 1024
_ATTACHED = 'attachment; filename="{name}-{day}.{ending}"'

_NO_PERMISSION = text("There is no such permission, or it has ended already.")
_LONG = text("Write 1 to {most} characters.")
_MOST = text("Write at most {most} characters.")
_WHOLE = text("Write a whole number, from 1 to {most}.")
_ABOVE_0 = text("Write a number above 0, up to {most}.")
_CHOICE = text("Choose one of the list.")
_TICK = text("Tick the box to say that you mean it.")


@dataclass(frozen=True, slots=True)
class Permission:
    """What a member allowed, and everything that happened to it since."""

    given: MemberPermission
    register: list[Entry]

    @property
    def stands(self) -> bool:
        """Return whether it was not ended."""
        return self.given.state is State.GRANTED


@dataclass(frozen=True, slots=True)
class Year:
    """The last year in one direction."""

    direction: Direction
    calendar: Calendar
    strip: Strip


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show all of a member but its records. That it was looked at is written down."""
    async with desk.store.writing() as connection:
        member = await member_of(desk, visit, connection)
        await desk.note(connection, visit, "page", member.id)
    return await _show(desk, visit, member)


async def change_site(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show a member as a public building, under a name, or describe it otherwise."""
    errors: dict[str, Text] = {}
    name = _bounded(visit, "name", MAX_NAME, errors)
    description = _described(visit, errors)
    async with desk.store.reading() as connection:
        member = await member_of(desk, visit, connection)
    if member.kind is Kind.COLLECTIVE:
        raise NoSite
    if member.kind is not Kind.SITE and visit.typed("sure") != "yes":
        errors["sure"] = _TICK
    if errors:
        return await _show(desk, visit, member, errors)
    async with desk.store.writing() as connection:
        members = Members(connection, desk.settings.time_zone)
        await members.present(member.id, name, description, visit.now)
        await desk.note(connection, visit, "site", member.id)
    return done(desk, visit, member, "site")


async def rename(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Name a collective that is a member."""
    errors: dict[str, Text] = {}
    name = _bounded(visit, "name", MAX_NAME, errors)
    async with desk.store.reading() as connection:
        member = await member_of(desk, visit, connection)
    if errors:
        return await _show(desk, visit, member, errors)
    async with desk.store.writing() as connection:
        await Members(connection, desk.settings.time_zone).rename(member.id, name)
        await desk.note(connection, visit, "name", member.id)
    return done(desk, visit, member, "name")


async def change_area(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Say in which commune a member is; in none if nothing is written."""
    errors: dict[str, Text] = {}
    area = " ".join(_bounded(visit, "area", MAX_AREA, errors, least=0).split())
    async with desk.store.reading() as connection:
        member = await member_of(desk, visit, connection)
        if not errors and area and (wrong := await misspelt(connection, area, member.id)):
            errors["area"] = wrong
    if errors:
        return await _show(desk, visit, member, errors)
    async with desk.store.writing() as connection:
        members = Members(connection, desk.settings.time_zone)
        await members.set_area(member.id, area or None)
        await desk.note(connection, visit, "area", member.id)
    return done(desk, visit, member, "area")


async def confirm_end(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask once before a permission is ended."""
    return await _confirm_end(desk, visit)


async def end(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """End a permission in the collective's name; its member is told."""
    if visit.typed("sure") != "yes":
        return await _confirm_end(desk, visit, _TICK)
    async with desk.store.writing() as connection:
        member = await member_of(desk, visit, connection)
        one = await _granted(visit, connection, member)
        await member_permissions.terminate(
            Members(connection, desk.settings.time_zone), one.id, visit.now
        )
        await desk.note(connection, visit, "terminate", member.id)
    return done(desk, visit, member, "ended")


async def confirm_erasure(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask once before a member is erased."""
    return await _confirm_erasure(desk, visit)


async def erase(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """End all that a member allowed, and erase all that is held of it."""
    if visit.typed("sure") != "yes":
        return await _confirm_erasure(desk, visit, _TICK)
    async with desk.store.writing() as connection:
        member = await member_of(desk, visit, connection)
        await desk.note(connection, visit, "erase", member.id)
    await erase_member(desk.store, desk.settings.time_zone, member.id, visit.now)
    return done(desk, visit, member, "erased")


async def export_json(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return everything that is held of a member."""
    return await _export(desk, visit, "json", "application/json")


async def export_csv(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return the records of a member."""
    return await _export(desk, visit, "csv", "text/csv")


async def _show(
    desk: AdminDesk, visit: Visit, member: Member, errors: dict[str, Text] | None = None
) -> web.Response:
    window = Span.before(visit.today, _YEAR)
    async with desk.store.reading() as connection:
        gave = await member_permissions.of_member(connection, member.id)
        register = await member_permissions.register(connection, [one.id for one in gave])
        series = _each_once(await of_member(connection, member.jid)) if member.jid else []
        told = await shares_by_direction(connection, member.id, window)
        communes = await known_areas(connection)
        doubtful = await doubts.of_member(desk, connection, member)
        may_be_named = await shown_from(connection, member.id, visit.now) is not None
    permissions = [
        Permission(one, [entry for entry in register if entry.given == one.id])
        for one in reversed(gave)
    ]
    if errors:
        member = _as_typed(visit, member)
    return desk.page(
        visit,
        "member.html",
        status=422 if errors else 200,
        member=member,
        name=_name(member),
        permissions=permissions,
        areas=communes,
        series=series,
        years=_years(series, told, window, desk),
        heard=max((one.heard_at for one in series if one.heard_at), default=None),
        doubts=doubtful,
        shown=doubts.SHOWN,
        most_kw=doubts.MOST_KW,
        proofs=doubts.PROOFS,
        not_by_name=None if may_be_named else NotByName().text,
        errors=errors or {},
        typed=visit.form,
        kinds=KINDS,
        actors=ACTORS,
        states=consent_text.STATES,
        intervals=consent_text.INTERVALS,
        directions=consent_text.DIRECTIONS,
        identifications=consent_text.IDENTIFICATIONS,
        buildings=BUILDINGS,
        heats=HEATS,
        Kind=Kind,
        most={"name": MAX_NAME, "area": MAX_AREA, "words": MAX_WORDS},
    )


def _each_once(granted: list[MemberSeries]) -> list[MemberSeries]:
    """Return each series by the permission that reaches furthest back."""
    return list({one.identifier: one for one in reversed(granted)}.values())[::-1]


def _years(
    series: list[MemberSeries],
    told: dict[Direction, dict[date, float]],
    window: Span,
    desk: AdminDesk,
) -> list[Year]:
    """Return the calendar of each direction in which a member tells, or did."""
    zone = desk.settings.time_zone
    granted = {
        direction: [
            (
                one.records.start.astimezone(zone),
                (one.records.end.astimezone(zone) - timedelta(days=1)).date(),
            )
            for one in series
            if one.series is not None and one.series.direction is direction
        ]
        for direction in Direction
    }
    found = []
    for direction in Direction:
        spans, days = granted[direction], told.get(direction, {})
        if not spans and not days:
            continue
        # A day of which only the end was granted cannot be whole.
        begun = {start.date() for start, _ in spans if start.time() != time.min}
        kept = [
            Kept.COMPLETE
            if days.get(day, 0) >= 1
            else Kept.OUTSIDE
            if day in begun
            else Kept.PARTLY
            if days.get(day, 0) > 0
            else Kept.MISSING
            if any(start.date() <= day <= last for start, last in spans)
            else Kept.OUTSIDE
            for day in window
        ]
        calendar = Calendar(window.first, kept)
        found.append(Year(direction, calendar, draw(calendar)))
    return found


async def _confirm_end(
    desk: AdminDesk, visit: Visit, error: Text | None = None
) -> web.StreamResponse:
    async with desk.store.reading() as connection:
        member = await member_of(desk, visit, connection)
        one = await _granted(visit, connection, member)
    return desk.page(
        visit,
        "member_end.html",
        status=422 if error else 200,
        member=member,
        name=_name(member),
        given=one,
        error=error,
    )


async def _confirm_erasure(
    desk: AdminDesk, visit: Visit, error: Text | None = None
) -> web.StreamResponse:
    async with desk.store.reading() as connection:
        member = await member_of(desk, visit, connection)
        gave = await member_permissions.of_member(connection, member.id)
    return desk.page(
        visit,
        "member_erase.html",
        status=422 if error else 200,
        member=member,
        name=_name(member),
        granted=sum(one.state is State.GRANTED for one in gave),
        error=error,
    )


async def _export(
    desk: AdminDesk, visit: Visit, ending: str, content_type: str
) -> web.StreamResponse:
    """Send it as it is read; that it was read is written down before."""
    async with desk.store.writing() as connection:
        member = await member_of(desk, visit, connection)
        await desk.note(connection, visit, f"export {ending}", member.id)
    name = _ATTACHED.format(name=member.pseudonym, day=visit.today.isoformat(), ending=ending)
    response = web.StreamResponse(
        headers={"Content-Type": f"{content_type}; charset=utf-8", "Content-Disposition": name}
    )
    desk.harden(response)
    await response.prepare(visit.request)
    parts = exported.as_csv if ending == "csv" else exported.as_json
    async with desk.store.reading() as connection:
        async for part in _gathered(parts(connection, member)):
            await response.write(part)
    await response.write_eof()
    return response


async def _gathered(parts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """Yield fewer and larger parts."""
    waiting: list[str] = []
    size = 0
    async for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _AT_ONCE:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()


async def _granted(visit: Visit, connection: AsyncConnection, member: Member) -> MemberPermission:
    one = await member_permissions.get(connection, GivenId(visit.named("given")))
    if one.member != member.id or one.state is not State.GRANTED:
        raise Refused(404, _NO_PERMISSION)
    return one


def _name(member: Member) -> str:
    return member.name or member.pseudonym


def _bounded(
    visit: Visit, field: str, most: int, errors: dict[str, Text], *, least: int = 1
) -> str:
    typed = visit.typed(field)
    if not least <= len(typed) <= most:
        errors[field] = numbered(_LONG if least else _MOST, most=most)
    return typed


def _described(visit: Visit, errors: dict[str, Text]) -> Description:
    told: dict[str, Any] = {"words": _bounded(visit, "words", MAX_WORDS, errors, least=0)}
    for field, kind in (("building", Building), ("heating", Heat), ("hot_water", Heat)):
        if typed := visit.typed(field):
            try:
                told[field] = kind(typed)
            except ValueError:
                errors[field] = _CHOICE
    for field, most in (("surface_m2", MAX_SURFACE_M2), ("peak_kwp", MAX_PEAK_KWP)):
        if typed := visit.typed(field).replace(",", ".").replace("\u202f", ""):
            is_whole = field == "surface_m2"
            number = _number(typed, whole=is_whole)
            if number is None or not 0 < number <= most:
                errors[field] = numbered(_WHOLE if is_whole else _ABOVE_0, most=most)
            else:
                told[field] = number
    return Description() if errors else Description(**told)


def _number(typed: str, *, whole: bool) -> float | None:
    try:
        number = float(typed)
        return round(number) if whole else number
    except ValueError, OverflowError:
        return None


def _as_typed(visit: Visit, member: Member) -> Member:
    """Return a member as somebody tried to describe it, for the form to be mended."""
    area = visit.typed("area") if "area" in visit.form else member.area
    name = visit.typed("name") if "name" in visit.form and member.kind is not Kind.HOME else None
    return replace(member, area=area, name=name or member.name)
