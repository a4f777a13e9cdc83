"""Whether this collective can answer: for whatever starts it anew, not for people."""

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from .desk import Desk, Handler

HEALTH = "/health"


def tells(desk: Desk) -> Handler:
    """Make what answers with 200, or with 503 when the database is away. It is asked each time.

    A clock that is not confirmed is told of, but a restart would not mend it.
    """

    async def handle(_: web.Request) -> web.Response:
        try:
            async with desk.store.reading() as connection:
                await connection.execute(select(1))
                doubt = desk.clock and await desk.clock.look(connection)
        except InterfaceError, OperationalError:
            return web.Response(status=503, text="The database is away.\n")
        if doubt:
            return web.Response(text=f"{doubt.text.say()}\n")
        return web.Response(text="This node is well.\n")

    return handle
