"""The files that a home's data come from: brought, shown, kept, removed."""

import asyncio
from datetime import UTC, datetime, timedelta
import secrets

from aiohttp import web

from consometers_enedis_files import Kind, Refused
from consometers_node.household.errors import TooManyFiles
from consometers_node.household.files.brought import bring
from consometers_node.household.files.words import KINDS, PROBLEMS, REFUSALS
from consometers_node.household.source import HomeFiles
from consometers_node.i18n.text import Text, text
from consometers_node.sharing import consent_text
from consometers_node.web.core.request_context import RequestContext

from .file_chart import FOOT, HEIGHT, WIDTH, draw
from .page_base import Pages
from .shown_file import ShownFile

_KEPT_FOR = timedelta(minutes=30)
_HALF_HOUR, _HOUR = timedelta(minutes=30), timedelta(hours=1)
_SHOWN_FAULTS = 10

_NO_FILE = text("Choose a file.")
_GONE = text("This file was shown too long ago: choose it again.")


async def show(
    pages: Pages, context: RequestContext, error: Text | None = None
) -> web.StreamResponse:
    """Show the files that were kept, and the form for another one."""
    files = _files(pages)
    return pages.page(
        context,
        "files.html",
        status=422 if error else 200,
        error=error,
        files=await files.all(),
        Kind=Kind,
        kinds=KINDS,
        directions=consent_text.DIRECTIONS,
    )


async def look(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show what a file has; nothing of it is stored yet."""
    _files(pages)
    if not context.file:
        return await show(pages, context, _NO_FILE)
    try:
        brought = await asyncio.to_thread(bring, context.file)
    except Refused as refused:
        return await show(pages, context, REFUSALS[refused.refusal])
    pages.shown_file = ShownFile(
        secrets.token_urlsafe(16), context.person.id, brought, datetime.now(UTC) + _KEPT_FOR
    )
    return pages.page(
        context,
        "file.html",
        shown=pages.shown_file,
        charts=[(part, draw(part.energies_wh, is_daily=part.is_daily)) for part in brought.parts],
        faults=brought.faults[:_SHOWN_FAULTS],
        left_out=len(brought.faults) + brought.more_faults,
        half_hour=_HALF_HOUR,
        hour=_HOUR,
        width=WIDTH,
        height=HEIGHT,
        foot=FOOT,
        kinds=KINDS,
        problems=PROBLEMS,
        directions=consent_text.DIRECTIONS,
    )


async def keep(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Store the file that was shown."""
    files, shown = _files(pages), pages.shown_file
    is_this = shown is not None and shown.token == context.typed("shown")
    if (
        shown is None
        or not is_this
        or shown.person != context.person.id
        or (shown.until < datetime.now(UTC))
    ):
        return await show(pages, context, _GONE)
    pages.shown_file = None
    try:
        await files.keep(shown.brought.months, datetime.now(UTC))
    except TooManyFiles as fault:
        return await show(pages, context, fault.text)
    pages.changed()
    return context.go("files?done=kept")


async def cancel(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Forget the file that was shown."""
    _files(pages)
    pages.shown_file = None
    return context.go("files?done=cancelled")


async def remove(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Forget a file that was kept."""
    await _files(pages).remove(int(context.named("file")))
    pages.changed()
    return context.go("files?done=removed")


def _files(pages: Pages) -> HomeFiles:
    files = pages.node.source.files
    assert files is not None  # routes let nobody here otherwise
    return files
