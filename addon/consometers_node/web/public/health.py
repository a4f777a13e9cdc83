"""Whether this collective can answer: for whatever starts it anew, not for people."""

from collections.abc import Callable

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from .handlers import Handler, PublicPages

HEALTH = "/health"


def tells(pages: PublicPages, is_online: Callable[[], bool]) -> Handler:
    """Make what answers with 200, or with 503 when the database is away. It is asked each time.

    The text says what a restart would not mend: a clock that is not confirmed, XMPP that is away.
    """

    async def handle(_: web.Request) -> web.Response:
        try:
            async with pages.store.reading() as connection:
                await connection.execute(select(1))
                doubt = pages.clock and await pages.clock.look(connection)
        except InterfaceError, OperationalError:
            return web.Response(status=503, text="The database is away.\n")
        doubts = [doubt.text.say()] if doubt else []
        if not is_online():
            doubts.append("XMPP is away.")
        return web.Response(
            text="".join(f"{doubt}\n" for doubt in doubts or ["This node is well."])
        )

    return handle
