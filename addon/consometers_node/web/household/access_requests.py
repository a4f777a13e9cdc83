"""A collective's data about the home: requested, received, and downloaded."""

import asyncio
from contextlib import suppress

from aiohttp import web

from consometers_node.i18n.text import text
from consometers_node.sharing.access_requests import AccessRequests
from consometers_node.store import PeerId
from consometers_node.store.answers import requests_to
from consometers_node.store.peers import Peer, all_peers
from consometers_node.web.core.joining import NOT_ONLINE
from consometers_node.web.core.page_base import RequestRefused, send_file
from consometers_node.web.core.request_context import RequestContext

from .page_base import Pages

_ANSWERED_WITHIN_S = 15.0

_NO_COLLECTIVE = text("There is no such collective.", context="web page")
_NOT_HERE = text("There is no export here any more: ask for it again.")


async def show(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show the state of a request, and earlier ones."""
    peer = await _peer(pages, context)
    async with pages.store.reading() as connection:
        earlier = await requests_to(connection, peer.id)
    requests = _requests(pages)
    return pages.page(
        context,
        "access-request.html",
        peer=peer,
        request=requests.of_peer(peer.id) if requests else None,
        earlier=[(each, pages.person_named(each.who)) for each in earlier],
        offline=None if requests else NOT_ONLINE,
    )


async def ask(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Ask a collective, and wait a little for its answer."""
    peer, requests = await _peer(pages, context), _requests(pages)
    if requests is not None:
        request = requests.ask(peer, context.person.id)
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWERED_WITHIN_S):
                await request.over.wait()
    return context.go(f"access-requests/{peer.id}")


async def download(pages: Pages, context: RequestContext, file: str) -> web.StreamResponse:
    """Return the whole archive, or its records."""
    peer, requests = await _peer(pages, context), _requests(pages)
    request = requests.of_peer(peer.id) if requests else None
    if request is None or request.copy is None:
        raise RequestRefused(404, _NOT_HERE)
    day = request.copy.facts.time.date().isoformat()
    return await send_file(context.request, f"{day}-{file}", request.copy.chunks(file))


def _requests(pages: Pages) -> AccessRequests | None:
    network = pages.node.network
    return network.sharing.access if network else None


async def _peer(pages: Pages, context: RequestContext) -> Peer:
    peer_id = PeerId(int(context.named("peer")))
    async with pages.store.reading() as connection:
        for peer in await all_peers(connection):
            if peer.id == peer_id:
                return peer
    raise RequestRefused(404, _NO_COLLECTIVE)
