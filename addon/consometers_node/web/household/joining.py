"""Meeting a collective by its invitation, and making an account by another one."""

import asyncio

from aiohttp import web

from consometers_node.household.node import HouseholdOnline
from consometers_node.i18n.text import Text, text
from consometers_node.sharing.account import HasAccount, load, take
from consometers_node.web.core.joining import NOT_ONLINE, ONLINE_WITHIN_S, meet, trial_error
from consometers_node.web.core.request_context import RequestContext
from consometers_quoalise_network import Join, NetworkError, Register, links
from consometers_quoalise_xmpp import register

from .page_base import Pages

_LOOKS, _LOOKS_EVERY_S = 50, 0.1
"""A new account is on its way to the network a moment after it was kept."""

_NO_ACCOUNT = text(
    "This home has no address yet. First open the account invitation that came with this one, or"
    " enter an existing address under Settings."
)
_HAS_ACCOUNT = text(
    "This home already has an address, {jid}: it needs no other. Paste the invitation of the"
    " collective."
)


async def show(
    pages: Pages, context: RequestContext, error: Text | None = None
) -> web.StreamResponse:
    """Show the form for an invitation. One in the URL is filled in, and no more."""
    account = await load(pages.node.store)
    return pages.consent_page(
        context,
        "join.html",
        status=422 if error else 200,
        invitation=context.typed("invitation") or context.asked("invitation"),
        error=error,
        account=account.account.jid if account else None,
    )


async def join(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Accept an invitation."""
    try:
        match links.read(context.typed("invitation")):
            case Register() as invitation:
                await take(pages.node.store, invitation, pages.server, register)
                pages.changed()
                return context.go("join?done=account")
            case Join() as invitation:
                return await _meet(pages, context, invitation)
    except HasAccount as existing:
        return await show(pages, context, _HAS_ACCOUNT.fill(jid=existing.jid))
    except NetworkError as fault:
        return await show(pages, context, trial_error(fault))


async def _meet(pages: Pages, context: RequestContext, invitation: Join) -> web.StreamResponse:
    """Propose a collective's data needs to the household."""
    online = await _online(pages)
    if online is None:
        no_account = await load(pages.node.store) is None
        return await show(pages, context, _NO_ACCOUNT if no_account else NOT_ONLINE)
    met = await meet(pages, context, online.sharing.asking, invitation)
    return await show(pages, context, met) if isinstance(met, Text) else met


async def _online(pages: Pages) -> HouseholdOnline | None:
    """Return the node's connected part, once it has one. Raises NetworkError."""
    node = pages.node
    if await load(node.store) is None:
        return None
    for _ in range(_LOOKS):
        if (online := node.network) is not None:
            await online.connection.online(ONLINE_WITHIN_S)
            return online
        await asyncio.sleep(_LOOKS_EVERY_S)
    return None
