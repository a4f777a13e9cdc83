"""A data need is filled in, read as a household will read it, and then offered."""

from collections.abc import Mapping, Sequence
import re

from aiohttp import web

from consometers_node.collective.disclosure.sdc_rules import DEFAULT_MINIMUM, LEAST_MINIMUM
from consometers_node.collective.permissions import needs
from consometers_node.collective.permissions.needs import BadWitness
from consometers_node.i18n.text import Text, text
from consometers_node.permission import ChangedNeed, DataNeed, Identification, Reading
from consometers_node.permission.need import MAX_DAYS
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import FilledForm
from consometers_node.web.core.speech import numbered
from consometers_node.wire import Unsayable, read_need_mapping, write_need
from consometers_quoalise.records.identifier import is_bare

from .needs import WORDS, as_read

UNITS = {"years": 365, "months": 30, "days": 1}
"""The units of a data need."""
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
    "reading": Reading.INDIVIDUAL.value,
    "witness_minimum": str(DEFAULT_MINIMUM),
}
_OF_WITNESS = ("jid", "url", "name", "contact", "minimum")
_FIELDS = {"jid": "witness_jid", "minimum": "witness_minimum"}
"""The witness's fields of the form."""
_MOST_HOMES = 1_000_000
_LENGTHS = {"history": 0, "duration": 1, "retention": 0}
_TEXTS = ("title", "purpose", "recipients")
_OURS = ("fr", "en")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LINK = re.compile(r"https://[!-~]+")
_MAX_ID, _MAX_LINE = 40, 300

_NO_ID = text("Write lower-case letters, digits and hyphens, such as “roof”: at most {most}.")
_TAKEN = text(
    "There is already a data request of this name: create a new version of it, or choose another"
    " name."
)
_WRITE = text("Write it in at least one language; with both, everybody reads their own.")
_BOTH = text("Write the title and the purpose in the same languages.")
_NO_SERIES = text("Choose the data to request.")
_NO_LINK = text("Write the address of a page that begins with https://, without accents or spaces.")
_NO_LINE = text("Write one line.")
_NO_DAYS = text("Write a whole number: {least} to {most} days in all.")
_CHOOSE = text("Choose one of these.")
_HOURS_ALONE = text("Protected sums are of hours: choose 1 h.")
_NO_HISTORY = text("Protected sums are of hours to come: write 0.")
_PSEUDONYM_ALONE = text("In a protected sum a home is named by a pseudonym.")
_NO_ADDRESS = text("Write the XMPP address of its server, such as node@commune.example.")
_NO_SITE = text(
    "Write the address of its server that begins with https://, such as https://commune.example."
)
_NO_MINIMUM = text("Write a whole number from {least} on.")
_SAME = text("This request is the same as the present one: change it, or leave it.")
_MOVED = text("This data request was changed in the meantime: read it again.")
_NONE = text("There is no such data request.")


async def show_new(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the form for a new data need."""
    values = {**_USUAL, "controller": pages.settings.name}
    return _show(pages, context, values, None)


async def show_next(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the form for another version."""
    async with pages.store.reading() as connection:
        base = await _base(connection, context.named("need"))
    return _show(pages, context, _values(base), base)


async def change(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the form again with the submitted values."""
    return await _again(pages, context, {})


async def look(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the text for households, before it is offered."""
    async with pages.store.reading() as connection:
        filled = await _filled(pages, connection, context)
    if filled.value is None:
        return await _again(pages, context, filled.errors)
    return _look(pages, context, filled.value)


async def offer(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Offer the text shown before."""
    async with pages.store.reading() as connection:
        filled = await _filled(pages, connection, context)
    need = filled.value
    if need is None:
        return await _again(pages, context, filled.errors)
    if str(need.version) != context.typed("version"):
        return _look(pages, context, need, _MOVED)
    try:
        await pages.actions(context).offer(need)
    except ChangedNeed, BadWitness:
        return _look(pages, context, need, _MOVED)
    return context.go("needs?done=offered")


async def _again(
    pages: AdminPages, context: AdminContext, errors: Mapping[str, Text]
) -> web.StreamResponse:
    base = None
    if context.typed("base"):
        async with pages.store.reading() as connection:
            base = await _base(connection, context.typed("base"))
    typed = {name: values[0] for name, values in context.form.items()}
    return _show(pages, context, typed, base, errors)


def _show(
    pages: AdminPages,
    context: AdminContext,
    values: Mapping[str, str],
    base: DataNeed | None,
    errors: Mapping[str, Text] | None = None,
) -> web.Response:
    return pages.page(
        context,
        "need-form.html",
        status=422 if errors else 200,
        errors=errors or {},
        filled=values,
        base=base,
        tongues=_tongues(base),
        units=_NAMES,
        steps=list(Interval),
        Identification=Identification,
        Reading=Reading,
        **WORDS,
    )


def _look(
    pages: AdminPages, context: AdminContext, need: DataNeed, notice: Text | None = None
) -> web.Response:
    return pages.page(
        context,
        "need-preview.html",
        status=409 if notice else 200,
        notice=notice,
        filled={
            name: values[0]
            for name, values in context.form.items()
            if name not in {"token", "version"}
        },
        **as_read(pages, need),
        **WORDS,
    )


def _tongues(base: DataNeed | None) -> Sequence[str]:
    """Return the languages to fill in: ours, and those of earlier versions."""
    tags = () if base is None else (*base.title, *base.purpose, *base.recipients)
    others = sorted({tag for tag in tags if _LANGUAGE.fullmatch(tag)} - {*_OURS})
    return [*_OURS, *others]


def _values(base: DataNeed) -> dict[str, str]:
    """Return the form's values for a data need."""
    values = {
        "id": base.id,
        "controller": base.controller,
        "contact": base.contact,
        "policy": base.policy,
        "interval": base.interval.value,
        "identification": base.identification.value,
        "reading": base.reading.value,
        "witness_minimum": str(DEFAULT_MINIMUM),
    }
    if (witness := base.witness) is not None:
        values |= {f"witness_{name}": str(getattr(witness, name)) for name in _OF_WITNESS}
    for name in _LENGTHS:
        days: int = getattr(base, f"{name}_days")
        units = [unit for unit, length in UNITS.items() if days and not days % length]
        unit = next(iter(units), "days")
        values |= {name: str(days // UNITS[unit]), f"{name}_unit": unit}
    for series in write_need(base).series:
        values[f"series_{series.direction}"] = series.quantity
    for name in _TEXTS:
        words: Mapping[str, str] = getattr(base, name)
        values |= {f"{name}_{tag}": words_in_tag for tag, words_in_tag in words.items()}
    return values


async def _base(connection: AsyncConnection, need: str) -> DataNeed:
    """Return the newest version of a data need. Raises RequestRefused."""
    versions = await needs.versions(connection, need)
    if not versions:
        raise RequestRefused(404, _NONE)
    return versions[-1].need


async def _filled(
    pages: AdminPages, connection: AsyncConnection, context: AdminContext
) -> FilledForm[DataNeed]:
    """Read the form, and number the version."""
    base = await _base(connection, context.typed("base")) if context.typed("base") else None
    filled = FilledForm[DataNeed]()
    need_id = context.typed("id") if base is None else base.id
    if base is None:
        if not _ID.fullmatch(need_id) or len(need_id) > _MAX_ID:
            filled.errors["id"] = _NO_ID.fill(most=_MAX_ID)
        elif await needs.versions(connection, need_id):
            filled.errors["id"] = _TAKEN
    typed = {"version": 1, "id": need_id, **_fields(context, base, filled)}
    if filled.errors:
        return filled
    try:
        need = read_need_mapping(typed)
    except Unsayable as fault:
        filled.errors[""] = fault.text
        return filled
    try:
        await pages.actions(context).check_witness(connection, need)
    except BadWitness as fault:
        filled.errors[_FIELDS.get(fault.field, fault.field)] = fault.text
        return filled
    numbered = await needs.numbered(connection, need)
    asked = {offered.id for offered in await needs.offered(connection)}
    if base is not None and numbered.version == base.version and base.id in asked:
        filled.errors[""] = _SAME
        return filled
    filled.value = numbered
    return filled


def _fields(
    context: AdminContext, base: DataNeed | None, filled: FilledForm[DataNeed]
) -> dict[str, object]:
    """Read the fields of a data need as a file has them, and note those that are wrong."""
    texts = {name: _texts(context, name, _tongues(base)) for name in _TEXTS}
    _check_texts(texts, filled)
    typed: dict[str, object] = {**texts}
    series = [(way, context.typed(f"series_{way}")) for way in Direction]
    typed["series"] = [
        {"direction": way.value, "quantity": quantity}
        for way, quantity in series
        if quantity in Quantity
    ]
    if not typed["series"]:
        filled.errors["series"] = _NO_SERIES
    for name, choices in (("interval", Interval), ("identification", Identification)):
        typed[name] = context.typed(name)
        if typed[name] not in choices:
            filled.errors[name] = _CHOOSE
    for name, least in _LENGTHS.items():
        typed[name] = f"P{_days(context, name, least, filled)}D"
    for name in ("controller", "contact", "policy"):
        typed[name] = context.typed(name)
        if not 0 < len(context.typed(name)) <= _MAX_LINE:
            filled.errors[name] = _NO_LINE
    if not _LINK.fullmatch(context.typed("policy")):
        filled.errors["policy"] = _NO_LINK
    typed["reading"] = context.typed("reading") or Reading.INDIVIDUAL.value
    if typed["reading"] == Reading.SUM:
        typed["witness"] = _witness(context, filled)
        _check_sum(typed, filled)
    return typed


def _witness(context: AdminContext, filled: FilledForm[DataNeed]) -> dict[str, object]:
    """Read the witness that opens a protected sum with the collective."""
    typed = {name: context.typed(f"witness_{name}") for name in _OF_WITNESS}
    for name in ("name", "contact"):
        if not 0 < len(typed[name]) <= _MAX_LINE:
            filled.errors[f"witness_{name}"] = _NO_LINE
    if not is_bare(typed["jid"]):
        filled.errors["witness_jid"] = _NO_ADDRESS
    typed["url"] = typed["url"].rstrip("/")
    if not _LINK.fullmatch(typed["url"]):
        filled.errors["witness_url"] = _NO_SITE
    minimum = context.whole_number("witness_minimum")
    if minimum is None or not LEAST_MINIMUM <= minimum <= _MOST_HOMES:
        filled.errors["witness_minimum"] = _NO_MINIMUM.fill(least=LEAST_MINIMUM)
    return {**typed, "minimum": minimum}


def _check_sum(typed: Mapping[str, object], filled: FilledForm[DataNeed]) -> None:
    """Note which fields a protected sum cannot have."""
    if typed["interval"] != Interval.PT1H:
        filled.errors["interval"] = _HOURS_ALONE
    if typed["history"] != "P0D":
        filled.errors["history"] = _NO_HISTORY
    if typed["identification"] != Identification.PSEUDONYM:
        filled.errors["identification"] = _PSEUDONYM_ALONE


def _texts(context: AdminContext, name: str, tongues: Sequence[str]) -> dict[str, str]:
    typed = {tag: context.typed(f"{name}_{tag}").replace("\r\n", "\n") for tag in tongues}
    return {tag: words for tag, words in typed.items() if words}


def _check_texts(texts: Mapping[str, Mapping[str, str]], filled: FilledForm[DataNeed]) -> None:
    title, purpose = texts["title"], texts["purpose"]
    filled.errors |= {name: _WRITE for name in ("title", "purpose") if not texts[name]}
    if title and purpose and title.keys() != purpose.keys():
        filled.errors["purpose"] = _BOTH


def _days(context: AdminContext, name: str, least: int, filled: FilledForm[DataNeed]) -> int:
    number, unit = context.whole_number(name), context.typed(f"{name}_unit")
    days = -1 if number is None else number * UNITS.get(unit, 0)
    if unit not in UNITS or not least <= days <= MAX_DAYS:
        filled.errors[name] = numbered(_NO_DAYS, least=least, most=MAX_DAYS)
        return 0
    return days
