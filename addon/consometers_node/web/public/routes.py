"""Every address once, and who answers. All are looked at, none changes anything."""

from collections.abc import Callable
from functools import partial

from aiohttp import web

from . import about, health, home, opendata, periods
from .charts import Step
from .handlers import DATA, STATIC, Look, PublicPages

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
    DATA: about.show,
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
        web.get(health.HEALTH, health.tells(pages, is_online)),
    ]
