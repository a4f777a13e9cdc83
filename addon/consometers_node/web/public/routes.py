"""Every address once, with its handler. All are read-only."""

from functools import partial

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.collective.monitoring.health import Watch
from consometers_node.web.core.access import Handler

from . import challenges, notices, periods, sharing, witness
from .drawing.charts import Step
from .front import home, preview_picture, taking_part
from .open_data import archive, opendata
from .page_base import DATA, STATIC, TAKE_PART, WITNESS, Look, PublicPages
from .report import buildings, report

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
    f"/month/{_MONTH}.svg": partial(periods.as_picture, step=Step.DAY),
    f"/year/{_YEAR}.svg": partial(periods.as_picture, step=Step.MONTH),
    f"/day/{_DAY}": periods.show_day,
    f"/day/{_DAY}.svg": partial(periods.as_picture, step=Step.HOUR),
    f"/day/{_DAY}.csv": partial(periods.as_file, step=Step.HOUR),
}
_CHALLENGE = r"/challenge/{challenge:\d{1,9}}"
SHOWN: dict[str, Look] = {"/card": home.card, "/hall": home.hall}
LOOKS: dict[str, Look] = {
    **{path or "/": look for path, look in (OF_A_GROUP | SHOWN).items()},
    **{f"/sites/{_PLACE}{path}": look for path, look in (OF_A_GROUP | SHOWN).items()},
    **{f"/areas/{_PLACE}{path}": look for path, look in OF_A_GROUP.items()},
    f"/buildings/month/{_MONTH}": partial(buildings.show, step=Step.DAY),
    f"/buildings/month/{_MONTH}.csv": partial(buildings.as_file, step=Step.DAY),
    f"/buildings/year/{_YEAR}": partial(buildings.show, step=Step.MONTH),
    f"/buildings/year/{_YEAR}.csv": partial(buildings.as_file, step=Step.MONTH),
    f"/report/month/{_MONTH}": partial(report.show, step=Step.DAY),
    f"/report/year/{_YEAR}": partial(report.show, step=Step.MONTH),
    f"/sharing/day/{_DAY}": partial(sharing.show, step=Step.HOUR),
    f"/sharing/month/{_MONTH}": partial(sharing.show, step=Step.DAY),
    f"/sharing/year/{_YEAR}": partial(sharing.show, step=Step.MONTH),
    f"/sharing/day/{_DAY}.svg": partial(sharing.as_picture, step=Step.HOUR),
    f"/sharing/month/{_MONTH}.svg": partial(sharing.as_picture, step=Step.DAY),
    f"/sharing/year/{_YEAR}.svg": partial(sharing.as_picture, step=Step.MONTH),
    "/challenges": challenges.show_all,
    _CHALLENGE: challenges.show,
    f"{_CHALLENGE}/hall": partial(
        challenges.show, template="challenge-hall.html", most=challenges.MOST_ON_A_WALL
    ),
    f"{_CHALLENGE}/poster": challenges.poster,
    **{
        f"{_CHALLENGE}/{drawn}.svg": partial(challenges.as_picture, drawn=drawn)
        for drawn in challenges.Drawn
    },
    f"{_CHALLENGE}/diploma/{_PLACE}": challenges.diploma,
    DATA: opendata.describe,
    f"{DATA}/groups.json": opendata.groups,
    archive.DICTIONARY: archive.columns,
    f"{DATA}/openapi.json": opendata.description,
    f"{DATA}/challenges.json": challenges.listed,
    f"{DATA}/challenges/{{challenge}}": challenges.as_data,
    f"{DATA}/{{quantity}}/by/{{group}}/{{interval}}/from/{{first}}/to/{{last}}": opendata.series,
    TAKE_PART: taking_part.show,
    preview_picture.PATH: preview_picture.show,
    "/growth.svg": home.growth,
    notices.ABOUT: notices.about,
    notices.LEGAL: partial(notices.show, template="legal.html"),
    notices.PRIVACY: notices.privacy,
    notices.ACCESSIBILITY: partial(notices.show, template="accessibility.html"),
    notices.ROBOTS: notices.robots,
    notices.SITEMAP: notices.sitemap,
    WITNESS: witness.show,
}


def routes(pages: PublicPages, watch: Watch | None) -> list[web.RouteDef]:
    """Return all of them."""
    return [
        *(web.get(path, pages.looks(look)) for path, look in LOOKS.items()),
        web.get(f"{STATIC}{{name:.+}}", pages.files.serve),
        web.get("/favicon.ico", _icon),
        web.get(archive.ARCHIVE, archive.download(pages)),
        web.get(HEALTH, _health(pages, watch)),
    ]


async def _icon(_: web.Request) -> web.StreamResponse:
    """Redirect programs that know only this address to the icon."""
    raise web.HTTPFound(f"{STATIC}icon.png")


def _health(pages: PublicPages, watch: Watch | None) -> Handler:
    """Return a health check for supervisors: whether this collective can answer.

    It answers with 200, or with 503 when the database is away. It is asked each time. The text says
    what a restart would not mend: all other problems that there are.
    """

    async def handle(_: web.Request) -> web.Response:
        try:
            async with pages.store.reading() as connection:
                await connection.execute(select(1))
        except InterfaceError, OperationalError:
            return web.Response(status=503, text="The database is away.\n")
        problems = (await watch.health()).problems if watch else ()
        lines = [problem.words.say() for problem in problems] or ["This node is well."]
        return web.Response(text="".join(f"{line}\n" for line in lines))

    return handle
