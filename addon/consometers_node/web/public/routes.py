"""Every address once, and who answers. All are looked at, none changes anything."""

from collections.abc import Callable
from functools import partial

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from . import home, opendata, periods
from .charts import Step
from .handlers import DATA, STATIC, Handler, Look, PublicPages

HEALTH = "/health"
_PLACE = "{place:[a-z0-9-]{1,200}}"
_MONTH = r"{month:\d{4}-\d\d}"
_YEAR = r"{year:\d{4}}"
_DAY = r"{day:\d{4}-\d\d-\d\d}"

OF_A_GROUP: dict[str, Look] = {
    "": home.show,
    f"/month/{_MONTH}": partial(periods.show, step=Step.DAY),
    f"/month/{_MONTH}.csv": partial(periods.as_file, step=Step.DAY),
    f"/year/{_YEAR}": partial(periods.show, step=Step.MONTH),
    f"/year/{_YEAR}.csv": partial(periods.as_file, step=Step.MONTH),
    f"/day/{_DAY}.csv": periods.day_csv,
}
SHOWN: dict[str, Look] = {"/card": home.card, "/hall": home.hall}
OPEN: dict[str, Look] = {
    DATA: opendata.describe,
    f"{DATA}/groups.json": opendata.groups,
    f"{DATA}/openapi.json": opendata.description,
    f"{DATA}/{{quantity}}/by/{{group}}/{{interval}}/from/{{first}}/to/{{last}}": opendata.series,
}
LOOKS: dict[str, Look] = {
    **{path or "/": look for path, look in (OF_A_GROUP | SHOWN).items()},
    **{f"/sites/{_PLACE}{path}": look for path, look in (OF_A_GROUP | SHOWN).items()},
    **{f"/areas/{_PLACE}{path}": look for path, look in OF_A_GROUP.items()},
    **OPEN,
}


def routes(pages: PublicPages, is_online: Callable[[], bool]) -> list[web.RouteDef]:
    """Return all of them."""
    return [
        *(web.get(path, pages.looks(look)) for path, look in LOOKS.items()),
        web.get(f"{STATIC}{{name:.+}}", pages.files.serve),
        web.get(HEALTH, _health(pages, is_online)),
    ]


def _health(pages: PublicPages, is_online: Callable[[], bool]) -> Handler:
    """Make what says whether this collective can answer: for what restarts it, not for people.

    It answers with 200, or with 503 when the database is away. It is asked each time. The text says
    what a restart would not mend: a clock that is not confirmed, XMPP that is away.
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
