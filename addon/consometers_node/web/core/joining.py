"""Accepting an invitation: the collective's data needs are proposed here."""

from typing import Any

from aiohttp import web

from consometers_node.i18n.protocol import refusal, sentence
from consometers_node.i18n.text import Text, text
from consometers_node.permission import PermissionFault
from consometers_node.wire import Unsayable
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Asking, Join, NetworkError

from .consenting import ConsentPages, reason
from .request_context import RequestContext

ONLINE_WITHIN_S = 20.0
NOT_ONLINE = text("The node is not on the network yet: try again in a minute.")
_NOTHING_ASKED = text("{jid} has no data request at present: try again when it announces one.")

_ONCE = {
    "unreachable": text(
        "The server {host} cannot be reached: check the address and your Internet access, then try"
        " again."
    ),
    "interrupted": text("The server {host} closed the connection: try again."),
    "temporary-failure": text("The server {host} accepts no login at the moment: try again later."),
    "certificate-refused": text(
        "The server {host} does not prove its identity: nothing was sent to it. Check the"
        " address, or warn its operator."
    ),
    "not-alink": text(
        "This is not an invitation. Copy all of it: it begins with xmpp: and is one line."
    ),
}
"""The network's message says that it retries: a page does not."""


async def meet[C: RequestContext[Any]](
    pages: ConsentPages[C], context: C, asking: Asking, invitation: Join
) -> web.Response | Text:
    """Ask a collective for its data needs, and redirect to them; else return the error.

    Raises `NetworkError`.
    """
    jid = invitation.collective
    try:
        permission_ids = await pages.decisions(context).join(asking, invitation)
    except QuoaliseError as fault:
        return refusal(jid, fault)
    except (Unsayable, PermissionFault) as fault:
        return reason(fault)
    pages.changed()
    match permission_ids:
        case []:
            return _NOTHING_ASKED.fill(jid=jid)
        case [permission_id]:
            return context.go(f"{pages.section}permissions/{permission_id}")
        case _:
            return context.go(f"{pages.section}permissions")


def trial_error(fault: NetworkError) -> Text:
    """Return the message without the promise to retry."""
    words = _ONCE.get(fault.code)
    return sentence(fault) if words is None else words.fill(**fault.details)
