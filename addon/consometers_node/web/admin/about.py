"""The forms for what the public pages say of the collective, and for prices and CO₂."""

from collections.abc import Mapping
from itertools import groupby

from aiohttp import web

from consometers_node.collective.about import (
    KEYS,
    NEEDED,
    NOTICES,
    About,
    Subject,
    group_of,
    load_about,
    overwritten,
    read_about,
    subject_of,
    values_of,
)
from consometers_node.i18n.text import Text
from consometers_node.web.core.admin_context import AdminContext

from .page_base import AdminPages

_FIELDS = {
    subject: {name: key for name, key in KEYS.items() if group_of(key).subject is subject}
    for subject in Subject
}


async def show(
    pages: AdminPages,
    context: AdminContext,
    errors: Mapping[str, Text] | None = None,
    *,
    subject: Subject,
) -> web.StreamResponse:
    """Show the form of a subject, with the submitted or the stored values."""
    fields = _FIELDS[subject]
    values = values_of(await _now(pages))
    stored = {name: "" if (value := values[name]) is None else str(value) for name in fields}
    return pages.page(
        context,
        f"{subject}.html",
        status=422 if errors else 200,
        errors=errors or {},
        typed={name: context.typed(name) for name in fields} if errors else stored,
        groups=[(group, list(keys)) for group, keys in groupby(fields.values(), group_of)],
        needed=NEEDED,
    )


async def save(pages: AdminPages, context: AdminContext, *, subject: Subject) -> web.StreamResponse:
    """Store the submitted values."""
    values, errors = read_about({name: context.typed(name) for name in _FIELDS[subject]})
    about = overwritten(await _now(pages), values)
    if not errors:
        errors = {
            key.last_name: notice.whole
            for notice in NOTICES
            if notice.whole is not None and subject_of(notice) is subject
            for key in about.missing(notice)
        }
    if errors:
        return await show(pages, context, errors, subject=subject)
    await pages.actions(context).describe(about, subject)
    return context.go(f"{subject}?done=saved")


async def _now(pages: AdminPages) -> About:
    async with pages.store.reading() as connection:
        return await load_about(connection, pages.settings.about)
