"""What `run` serves of a collective to anybody."""

import asyncio
import logging

from consometers_node.collective.rules import InForce
from consometers_node.collective.settings import Settings
from consometers_node.store import Store

from .version import version

_LOGGER = logging.getLogger(__name__)


async def serve(store: Store, settings: Settings, rules: InForce) -> None:
    """Serve the pages until cancelled. Where they cannot be, the node does the rest."""
    # Pages take memory that commands can do without.
    from consometers_node.web.public import Public  # noqa: PLC0415

    page = settings.page
    try:
        public = Public(store, settings, version(), rules=rules)
        async with public.listening(page.host, page.port) as port:
            _LOGGER.info("the pages listen on port %s", port)
            await asyncio.Event().wait()
    except OSError as fault:
        _LOGGER.error("the pages cannot be served at %s:%s: %s", page.host, page.port, fault)  # noqa: TRY400
