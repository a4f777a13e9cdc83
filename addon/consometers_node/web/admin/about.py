"""The form for the collective's description on its public pages."""

from collections.abc import Mapping
from itertools import groupby

from aiohttp import web

from consometers_node.collective.about import (
    KEYS,
    NEEDED,
    NOTICES,
    About,
    Group,
    load_about,
    overwritten,
    read_about,
    values_of,
)
from consometers_node.collective.settings_schema import Key
from consometers_node.i18n.text import Text

from .page_base import AdminPages
from .request_context import AdminContext


def _group(key: Key) -> Group:
    return next(mark for mark in key.marks if isinstance(mark, Group))


_GROUPS = [(group, list(keys)) for group, keys in groupby(KEYS.values(), _group)]


async def show(
    pages: AdminPages, context: AdminContext, errors: Mapping[str, Text] | None = None
) -> web.StreamResponse:
    """Show the form, with the submitted or the stored values."""
    values = values_of(await _now(pages))
    stored = {name: "" if value is None else str(value) for name, value in values.items()}
    return pages.page(
        context,
        "about.html",
        status=422 if errors else 200,
        errors=errors or {},
        typed={name: context.typed(name) for name in KEYS} if errors else stored,
        groups=_GROUPS,
        needed=NEEDED,
    )


async def save(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store the submitted values."""
    values, errors = read_about({name: context.typed(name) for name in KEYS})
    about = overwritten(await _now(pages), values)
    if not errors:
        errors = {
            key.last_name: notice.whole
            for notice in NOTICES
            if notice.whole is not None
            for key in about.missing(notice)
        }
    if errors:
        return await show(pages, context, errors)
    await pages.actions(context).describe(about)
    return context.go("about?done=saved")


async def _now(pages: AdminPages) -> About:
    async with pages.store.reading() as connection:
        return await load_about(connection, pages.settings.about)
