"""What `run` serves of a collective: its pages to anybody, its administration to a few."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
import logging
from typing import TYPE_CHECKING

from consometers_node.collective.counters import Page
from consometers_node.collective.node import CollectiveNode

from .version import version

if TYPE_CHECKING:
    from aiohttp import web

type _Prepared = Callable[[web.Request, web.StreamResponse], Awaitable[None]]

_LOGGER = logging.getLogger(__name__)


async def serve(node: CollectiveNode) -> None:
    """Serve the pages until cancelled. Where they cannot be, the node does the rest."""
    # Pages take memory that commands can do without.
    from consometers_node.web.public import Public  # noqa: PLC0415

    page = node.settings.page
    public = Public(
        node.store,
        node.settings,
        version(),
        rules=node.rules,
        changes=node.changes,
        clock=node.clock,
        is_online=lambda: node.is_online,
    )
    public.app.on_response_prepare.append(_counting(node.counts.pages))
    try:
        from consometers_node.web.admin import Administration  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        _LOGGER.error("there is no administration without %s: install it", missing.name)  # noqa: TRY400
    else:
        Administration(node.store, node.settings, version(), node).join(public.app)
    try:
        async with public.listening(page.host, page.port) as port:
            _LOGGER.info("the pages listen on port %s", port)
            await asyncio.Event().wait()
    except OSError as fault:
        _LOGGER.error("the pages cannot be served at %s:%s: %s", page.host, page.port, fault)  # noqa: TRY400


def _counting(pages: Counter[Page]) -> _Prepared:
    """Return what counts each answer, of the administration too."""

    async def count(_: web.Request, response: web.StreamResponse) -> None:
        pages[Page.of(response.status)] += 1

    return count
