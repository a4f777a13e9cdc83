"""Municipalities, and other collectives that request this one's sums: join, answer, leave.

What is asked, shown and answered is what a home sees, on the pages of `core`.
"""

from aiohttp import web

from consometers_node.i18n.text import Text, text
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.joining import NOT_ONLINE, ONLINE_WITHIN_S, meet, trial_error
from consometers_node.web.core.permissions import listed
from consometers_quoalise_network import Join, NetworkError, links

_ACCOUNT = text(
    "This invitation creates an account, and the collective already has one. Paste the invitation"
    " that contains “consometers-join”."
)


async def show(
    pages: AdminPages, context: AdminContext, error: Text | None = None
) -> web.StreamResponse:
    """Show the requests for sums, their answers, and the form for an invitation."""
    return pages.consent_page(
        context,
        "admin/municipalities.html",
        status=422 if error else 200,
        invitation=context.typed("invitation") or context.asked("invitation"),
        error=error,
        account=pages.settings.xmpp.account,
        **await listed(pages.store),
    )


async def join(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Accept an invitation."""
    network = pages.node.network if pages.node else None
    try:
        match links.read(context.typed("invitation")):
            case Join() as invitation:
                if network is None:
                    return await show(pages, context, NOT_ONLINE)
                await network.connection.online(ONLINE_WITHIN_S)
                met = await meet(pages, context, network.sharing.asking, invitation)
                return await show(pages, context, met) if isinstance(met, Text) else met
            case _:
                return await show(pages, context, _ACCOUNT)
    except NetworkError as fault:
        return await show(pages, context, trial_error(fault))
