"""Meeting a collective by its invitation, and taking an account by another one."""

import asyncio

from aiohttp import web

from ..household.node import Online
from ..permission import PermissionFault
from ..quoalise import QuoaliseError, Text
from ..quoalise.refusals import refusal
from ..quoalise.text import text
from ..sharing.account import HasAccount, load, take
from ..sharing.consent import be_asked
from ..sharing.error_messages import said_of
from ..wire import Unsayable
from ..xmpp import Join, NetworkError, Register, links
from .handlers import Desk
from .network import said
from .visit import Visit

_ONLINE_WITHIN_S = 20.0
_LOOKS, _LOOKS_EVERY_S = 50, 0.1
"""A new account is on its way to the network a moment after it was kept."""

_NO_ACCOUNT = text(
    "This home has no address yet. Open first the account invitation that came with this one, or"
    " give an address of yours under Settings."
)
_HAS_ACCOUNT = text(
    "This home has an address already, {jid}: it needs no other one. Paste the invitation of the"
    " collective."
)
_NOTHING_ASKED = text("{jid} asks for nothing at present: try again when it says so.")
_NOT_ONLINE = text("The node is not on the network yet: try again in a minute.")


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Show where an invitation is pasted. One in the address is put there, and no more."""
    return await _show(desk, visit, visit.request.query.get("invitation", "")[:2000])


async def join(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Take up an invitation."""
    typed = visit.typed("invitation")
    try:
        match links.read(typed):
            case Register() as invitation:
                await take(desk.node.store, invitation, desk.server)
                desk.changed()
                return visit.go("join?done=account")
            case Join() as invitation:
                return await _meet(desk, visit, invitation)
    except HasAccount as known:
        return await _show(desk, visit, typed, _HAS_ACCOUNT.fill(jid=known.jid))
    except NetworkError as fault:
        return await _show(desk, visit, typed, said(fault))


async def _meet(desk: Desk, visit: Visit, invitation: Join) -> web.StreamResponse:
    """Put what a collective asks for before the household."""
    online = await _online(desk)
    if online is None:
        no_account = await load(desk.node.store) is None
        words = _NO_ACCOUNT if no_account else _NOT_ONLINE
        return await _show(desk, visit, visit.typed("invitation"), words)
    jid = invitation.collective
    try:
        numbers = await be_asked(desk.node.store, online.sharing.asking, invitation)
    except QuoaliseError as fault:
        return await _show(desk, visit, visit.typed("invitation"), refusal(jid, fault))
    except (Unsayable, PermissionFault) as fault:
        return await _show(desk, visit, visit.typed("invitation"), said_of(fault))
    desk.changed()
    match numbers:
        case []:
            words = _NOTHING_ASKED.fill(jid=jid)
            return await _show(desk, visit, visit.typed("invitation"), words)
        case [number]:
            return visit.go(f"permissions/{number}")
        case _:
            return visit.go("permissions")


async def _online(desk: Desk) -> Online | None:
    """Return what the node does over its connection, once it has one. Raises NetworkError."""
    node = desk.node
    if await load(node.store) is None:
        return None
    for _ in range(_LOOKS):
        if (online := node.network) is not None:
            await online.connection.online(_ONLINE_WITHIN_S)
            return online
        await asyncio.sleep(_LOOKS_EVERY_S)
    return None


async def _show(
    desk: Desk, visit: Visit, invitation: str, error: Text | None = None
) -> web.StreamResponse:
    account = await load(desk.node.store)
    return desk.page(
        visit,
        "join.html",
        status=422 if error else 200,
        invitation=invitation,
        error=error,
        account=account.account.jid if account else None,
    )
