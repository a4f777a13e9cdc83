"""Letters of collectives: listed, and marked as read."""

from aiohttp import web

from consometers_node.i18n.text import text
from consometers_node.store import PeerId
from consometers_node.store.household.letters import all_letters, mark_read
from consometers_node.store.peers import all_peers
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import RequestContext

from .page_base import Pages

_NO_LETTER = text("There is no such message.")


async def show(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show all letters, the last first."""
    async with pages.store.reading() as connection:
        senders = {peer.id: peer for peer in await all_peers(connection)}
        letters = await all_letters(connection)
    return pages.page(context, "letters.html", letters=letters, senders=senders)


async def read(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Mark a letter as read."""
    peer, letter = PeerId(int(context.named("peer"))), context.named("letter")
    async with pages.store.writing() as connection:
        if not await mark_read(connection, peer, letter, pages.node.clock.now()):
            raise RequestRefused(404, _NO_LETTER)
    pages.changed()
    return context.go("letters")
