"""Meeting a collective by its invitation, and taking an account by another one."""

import asyncio

from aiohttp import web

from ...household.node import HouseholdOnline
from ...permission import PermissionFault
from ...quoalise import QuoaliseError, Text
from ...quoalise.refusals import refusal
from ...quoalise.text import text
from ...sharing.account import HasAccount, load, take
from ...sharing.consent import propose_needs
from ...sharing.error_messages import message_of
from ...wire import Unsayable
from ...xmpp import Join, NetworkError, Register, links
from ..core.request_context import RequestContext
from .handlers import Pages

_ONLINE_WITHIN_S = 20.0
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
_NOTHING_ASKED = text("{jid} asks for nothing at present: try again when it says so.")
_NOT_ONLINE = text("The node is not on the network yet: try again in a minute.")

_ONCE = {
    "Unreachable": text(
        "The server {host} cannot be reached: check the address and your Internet access, then try"
        " again."
    ),
    "Interrupted": text("The server {host} closed the connection: try again."),
    "TemporaryFailure": text("The server {host} accepts no login at the moment: try again later."),
    "CertificateRefused": text(
        "The server {host} does not prove its identity: nothing was sent to it. Check the"
        " address, or warn its operator."
    ),
    "NotALink": text(
        "This is not an invitation. Copy all of it: it begins with xmpp: and is one line."
    ),
}
"""The network's words say that it tries again: a page does not."""


async def show(
    pages: Pages, context: RequestContext, error: Text | None = None
) -> web.StreamResponse:
    """Show where an invitation is pasted. One in the address is put there, and no more."""
    account = await load(pages.node.store)
    in_address = context.request.query.get("invitation", "")[:2000]
    return pages.page(
        context,
        "join.html",
        status=422 if error else 200,
        invitation=context.typed("invitation") or in_address,
        error=error,
        account=account.account.jid if account else None,
    )


async def join(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Take up an invitation."""
    try:
        match links.read(context.typed("invitation")):
            case Register() as invitation:
                await take(pages.node.store, invitation, pages.server)
                pages.changed()
                return context.go("join?done=account")
            case Join() as invitation:
                return await _meet(pages, context, invitation)
    except HasAccount as existing:
        return await show(pages, context, _HAS_ACCOUNT.fill(jid=existing.jid))
    except NetworkError as fault:
        return await show(pages, context, trial_error(fault))


async def _meet(pages: Pages, context: RequestContext, invitation: Join) -> web.StreamResponse:
    """Put what a collective asks for before the household."""
    online = await _online(pages)
    if online is None:
        no_account = await load(pages.node.store) is None
        return await show(pages, context, _NO_ACCOUNT if no_account else _NOT_ONLINE)
    jid = invitation.collective
    try:
        permission_ids = await propose_needs(pages.node.store, online.sharing.asking, invitation)
    except QuoaliseError as fault:
        return await show(pages, context, refusal(jid, fault))
    except (Unsayable, PermissionFault) as fault:
        return await show(pages, context, message_of(fault))
    pages.changed()
    match permission_ids:
        case []:
            return await show(pages, context, _NOTHING_ASKED.fill(jid=jid))
        case [permission_id]:
            return context.go(f"permissions/{permission_id}")
        case _:
            return context.go("permissions")


async def _online(pages: Pages) -> HouseholdOnline | None:
    """Return what the node does over its connection, once it has one. Raises NetworkError."""
    node = pages.node
    if await load(node.store) is None:
        return None
    for _ in range(_LOOKS):
        if (online := node.network) is not None:
            await online.connection.online(_ONLINE_WITHIN_S)
            return online
        await asyncio.sleep(_LOOKS_EVERY_S)
    return None


def trial_error(fault: NetworkError) -> Text:
    """Say it once, without the promise to try again."""
    words = _ONCE.get(type(fault).__name__)
    return fault.text if words is None else words.fill(**fault.values)
