"""The form for the collective's description on its public pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aiohttp import web

from ...collective.about import (
    CO2,
    FIELDS,
    PRICES,
    REQUIRED,
    About,
    Notice,
    key_of,
    load_about,
    read_about,
)
from ...i18n.text import Text, text
from .handlers import AdminPages
from .request_context import AdminContext

_GROUPS: Mapping[str, tuple[Text, Sequence[str]]] = {
    "who": (
        text("Who you are"),
        ("sentence_fr", "sentence_en", "join_fr", "join_en", "join_link"),
    ),
    "contact": (text("Contact"), ("mail", "phone", "address")),
    "legal": (
        text("Legal notice"),
        ("legal_name", "legal_form", "registration", "publisher"),
    ),
    "host": (text("Host"), ("host_name", "host_address", "host_phone")),
    "privacy": (text("Personal data"), ("dpo",)),
    "audit": (
        text("Accessibility statement"),
        ("audit_on", "audit_by", "audit_percent", "audit_gaps_fr", "audit_gaps_en"),
    ),
    "co2": (text("CO₂ equivalent"), CO2),
    "prices": (text("Prices"), PRICES),
}
_LONG = ("sentence_", "join_fr", "join_en", "audit_gaps_")
_NEEDED = frozenset(REQUIRED[Notice.PRESENTATION] + REQUIRED[Notice.LEGAL])
_WHOLE_AUDIT = text("To declare an audit, fill in its date, its author and its result.")

_WHOLE_CO2 = text("A CO₂ factor needs its source, in both languages, and its year.")
_WHOLE_PRICES = text("Prices need each other, and their source in both languages.")


async def show(
    pages: AdminPages, context: AdminContext, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    """Show the form, with the submitted or the stored values."""
    about = await _now(pages)
    typed = {name: context.typed(name) for name in FIELDS} if errors else _typed(about)
    return pages.page(
        context,
        "about.html",
        status=422 if errors else 200,
        errors=errors or {},
        typed=typed,
        groups=_GROUPS,
        keys={name: key_of(name) for name in FIELDS},
        needed=_NEEDED,
        long=[name for name in FIELDS if name.startswith(_LONG)],
    )


async def save(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store the submitted values."""
    values, errors = read_about({name: context.typed(name) for name in FIELDS})
    about = replace(await _now(pages), **values)
    if not errors:
        missing = about.missing(Notice.AUDIT)
        errors = {key.last_name: _WHOLE_AUDIT for key in missing}
        errors |= {key.last_name: _WHOLE_CO2 for key in about.missing_of(CO2)}
        errors |= {key.last_name: _WHOLE_PRICES for key in about.missing_of(PRICES)}
    if errors:
        return await show(pages, context, errors)
    await pages.actions(context).describe(about)
    return context.go("about?done=saved")


async def _now(pages: AdminPages) -> About:
    async with pages.store.reading() as connection:
        return await load_about(connection, pages.settings.about)


def _typed(about: About) -> dict[str, str]:
    values = {name: getattr(about, name) for name in FIELDS}
    return {name: "" if value is None else str(value) for name, value in values.items()}
