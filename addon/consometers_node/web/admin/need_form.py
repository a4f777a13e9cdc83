"""A data need is filled in, read as a household will read it, and asked for then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.permissions import needs
from ...permission import DataNeed, Identification, Reading
from ...permission.need import MAX_DAYS
from ...quoalise import Text
from ...quoalise.text import text
from ...series import Direction, Interval, Quantity
from ...wire import Unsayable, read_told_need, write_need
from .handlers import AdminDesk, Refused
from .needs import WORDS, as_read
from .visit import Visit
from .words import numbered

UNITS = {"years": 365, "months": 30, "days": 1}
"""As they are counted in a data need."""
_NAMES = {
    "years": text("years"),
    "months": text("months"),
    "days": text("days"),
}
_USUAL = {
    "interval": Interval.PT1H.value,
    "history": "1",
    "history_unit": "years",
    "duration": "2",
    "duration_unit": "years",
    "retention": "6",
    "retention_unit": "months",
    "identification": Identification.PSEUDONYM.value,
    "series_consumption": "power",
}
_LENGTHS = {"history": 0, "duration": 1, "retention": 0}
_TEXTS = ("title", "purpose", "recipients")
_OURS = ("fr", "en")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LINK = re.compile(r"https://[!-~]+")
_MAX_ID, _MAX_LINE, _MOST_DIGITS = 40, 300, 6

_NO_ID = text("Write lower-case letters, digits and hyphens, such as “roof”: at most {most}.")
_TAKEN = text(
    "There is a data request of this name already: make a new version of it, or choose another"
    " name."
)
_WRITE = text("Write it in one language at least; in both, everybody reads their own.")
_BOTH = text("Title and purpose are to be in the same languages.")
_NO_SERIES = text("Choose what you ask for.")
_NO_LINK = text("Write the address of a page that begins with https://, without accents or spaces.")
_NO_LINE = text("Write one line.")
_NO_DAYS = text("Write a whole number: {least} to {most} days in all.")
_CHOOSE = text("Choose one of these.")
_SAME = text("This is what is asked for already: change something, or leave it.")
_MOVED = text("Somebody asked for something else under this name meanwhile: read it again.")
_NONE = text("There is no such data request.")


@dataclass(slots=True)
class Filled:
    """What was filled in: the data need, not numbered yet, and what is wrong by field."""

    need: DataNeed | None = None
    errors: dict[str, Text] = field(default_factory=dict)


async def show_new(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the form of something new."""
    told = {**_USUAL, "controller": desk.settings.name}
    return _show(desk, visit, told, None)


async def show_next(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the form of another version."""
    async with desk.store.reading() as connection:
        base = await _base(connection, visit.named("need"))
    return _show(desk, visit, _told(base), base)


async def change(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the form again as it was filled in."""
    return await _again(desk, visit, {})


async def look(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show what a household will read, before anybody is asked."""
    async with desk.store.reading() as connection:
        filled = await _filled(connection, visit)
    if filled.need is None:
        return await _again(desk, visit, filled.errors)
    return _look(desk, visit, filled.need)


async def offer(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask members for what was read before."""
    async with desk.store.writing() as connection:
        filled = await _filled(connection, visit)
        need = filled.need
        if need is not None and str(need.version) == visit.typed("version"):
            if not await needs.offer(connection, need, visit.now):
                await needs.reopen(connection, need.id)
            said = f"data need {need.id} version {need.version} asked for"
            await desk.note(connection, visit, said)
    if need is None:
        return await _again(desk, visit, filled.errors)
    if str(need.version) != visit.typed("version"):
        return _look(desk, visit, need, _MOVED)
    desk.changed()
    return visit.go("needs?done=offered")


async def _again(desk: AdminDesk, visit: Visit, errors: Mapping[str, Text]) -> web.StreamResponse:
    base = None
    if visit.typed("base"):
        async with desk.store.reading() as connection:
            base = await _base(connection, visit.typed("base"))
    told = {name: values[0] for name, values in visit.form.items()}
    return _show(desk, visit, told, base, errors)


def _show(
    desk: AdminDesk,
    visit: Visit,
    told: Mapping[str, str],
    base: DataNeed | None,
    errors: Mapping[str, Text] | None = None,
) -> web.Response:
    return desk.page(
        visit,
        "need-form.html",
        status=422 if errors else 200,
        errors=errors or {},
        told=told,
        base=base,
        tongues=_tongues(base),
        units=_NAMES,
        steps=list(Interval),
        Identification=Identification,
        **WORDS,
    )


def _look(
    desk: AdminDesk, visit: Visit, need: DataNeed, notice: Text | None = None
) -> web.Response:
    return desk.page(
        visit,
        "need-preview.html",
        status=409 if notice else 200,
        notice=notice,
        told={
            name: values[0]
            for name, values in visit.form.items()
            if name not in {"token", "version"}
        },
        **as_read(desk, need),
        **WORDS,
    )


def _tongues(base: DataNeed | None) -> Sequence[str]:
    """Return the languages to fill in: ours, and those in which it was asked before."""
    known = () if base is None else (*base.title, *base.purpose, *base.recipients)
    others = sorted({tag for tag in known if _LANGUAGE.fullmatch(tag)} - {*_OURS})
    return [*_OURS, *others]


def _told(base: DataNeed) -> dict[str, str]:
    """Return what the form says of a data need."""
    told = {
        "id": base.id,
        "controller": base.controller,
        "contact": base.contact,
        "policy": base.policy,
        "interval": base.interval.value,
        "identification": base.identification.value,
    }
    for name in _LENGTHS:
        days: int = getattr(base, f"{name}_days")
        units = [unit for unit, length in UNITS.items() if days and not days % length]
        unit = next(iter(units), "days")
        told |= {name: str(days // UNITS[unit]), f"{name}_unit": unit}
    for one in write_need(base).wanted:
        told[f"series_{one.direction}"] = one.quantity
    for name in _TEXTS:
        words: Mapping[str, str] = getattr(base, name)
        told |= {f"{name}_{tag}": said for tag, said in words.items()}
    return told


async def _base(connection: AsyncConnection, need: str) -> DataNeed:
    """Return the newest version of a data need. Raises Refused."""
    known = await needs.versions(connection, need)
    if not known:
        raise Refused(404, _NONE)
    return known[-1].need


async def _filled(connection: AsyncConnection, visit: Visit) -> Filled:
    """Read the form, and number what it says."""
    base = await _base(connection, visit.typed("base")) if visit.typed("base") else None
    filled = Filled()
    told: dict[str, object] = {"version": 1}
    told["id"] = visit.typed("id") if base is None else base.id
    if base is None:
        if not _ID.fullmatch(visit.typed("id")) or len(visit.typed("id")) > _MAX_ID:
            filled.errors["id"] = _NO_ID.fill(most=_MAX_ID)
        elif await needs.versions(connection, visit.typed("id")):
            filled.errors["id"] = _TAKEN
    for name in _TEXTS:
        told[name] = _texts(visit, name, _tongues(base))
    _check_texts(told, filled)
    series = [(way, visit.typed(f"series_{way}")) for way in Direction]
    told["series"] = [
        {"direction": way.value, "quantity": wanted} for way, wanted in series if wanted in Quantity
    ]
    if not told["series"]:
        filled.errors["series"] = _NO_SERIES
    for name, choices in (("interval", Interval), ("identification", Identification)):
        told[name] = visit.typed(name)
        if told[name] not in choices:
            filled.errors[name] = _CHOOSE
    for name, least in _LENGTHS.items():
        told[name] = f"P{_days(visit, name, least, filled)}D"
    for name in ("controller", "contact", "policy"):
        told[name] = visit.typed(name)
        if not 0 < len(visit.typed(name)) <= _MAX_LINE:
            filled.errors[name] = _NO_LINE
    if not _LINK.fullmatch(visit.typed("policy")):
        filled.errors["policy"] = _NO_LINK
    told["reading"] = (Reading.INDIVIDUAL if base is None else base.reading).value
    if filled.errors:
        return filled
    try:
        need = read_told_need(told)
    except Unsayable as fault:
        filled.errors[""] = fault.text
        return filled
    numbered = await needs.numbered(connection, need)
    if base is not None and numbered.version == base.version and await _is_asked(connection, base):
        filled.errors[""] = _SAME
        return filled
    filled.need = numbered
    return filled


async def _is_asked(connection: AsyncConnection, base: DataNeed) -> bool:
    return any(one.id == base.id for one in await needs.offered(connection))


def _texts(visit: Visit, name: str, tongues: Sequence[str]) -> dict[str, str]:
    said = {tag: visit.typed(f"{name}_{tag}").replace("\r\n", "\n") for tag in tongues}
    return {tag: words for tag, words in said.items() if words}


def _check_texts(told: Mapping[str, object], filled: Filled) -> None:
    title, purpose = told["title"], told["purpose"]
    assert isinstance(title, dict)
    assert isinstance(purpose, dict)
    for name, words in (("title", title), ("purpose", purpose)):
        if not words:
            filled.errors[name] = _WRITE
    if title and purpose and title.keys() != purpose.keys():
        filled.errors["purpose"] = _BOTH


def _days(visit: Visit, name: str, least: int, filled: Filled) -> int:
    typed, unit = visit.typed(name), visit.typed(f"{name}_unit")
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS
    days = int(typed) * UNITS.get(unit, 0) if is_number else -1
    if unit not in UNITS or not least <= days <= MAX_DAYS:
        filled.errors[name] = numbered(_NO_DAYS, least=least, most=MAX_DAYS)
        return 0
    return days
