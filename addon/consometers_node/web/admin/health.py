"""How the node goes, in figures: those of `/metrics`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import platform
import shutil

from aiohttp import web
import sqlalchemy

from ...collective.members import administrators
from ...collective.monitoring.health import Health, Watch
from ...collective.monitoring.metrics import BYTES, HEALTH, INSTANT, SECONDS, Metric
from ...quoalise import Text
from ..speech import Language
from .alerts import of_node
from .handlers import AdminDesk
from .visit import Visit

_KIB = 1024
_UNITS = {"en": ("B", "KiB", "MiB", "GiB", "TiB"), "fr": ("o", "Kio", "Mio", "Gio", "Tio")}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure under its title, or several, each with the words that tell it apart."""

    title: Text
    told: Text
    values: Sequence[tuple[Text | None, str]]


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return how the node goes."""
    node = desk.node
    if node is not None and desk.watch is None:
        desk.watch = Watch(node, desk.version)
    health = await desk.watch.health() if desk.watch else None
    disk = shutil.disk_usage(desk.settings.folder)
    async with desk.store.reading() as connection:
        known = await administrators.administrators(connection, visit.now)
    return desk.page(
        visit,
        "health.html",
        problems=of_node(desk),
        runs=node is not None,
        account=desk.settings.xmpp.account,
        figures=list(_figures(health, visit.language)) if health else [],
        since=health.counts.since if health else None,
        disk=(_size(disk.free, visit.language), _size(disk.total, visit.language)),
        database="PostgreSQL" if not desk.store.is_sqlite else "SQLite",
        versions={"Python": platform.python_version(), "SQLAlchemy": sqlalchemy.__version__},
        administrators=known,
    )


def _figures(health: Health, language: Language) -> Iterator[Figure]:
    for metric in HEALTH:
        values = [
            (metric.words[label_value], _written(metric, value, language))
            for label_value, value in metric.values(health)
            if not isinstance(value, str)
        ]
        if values:
            yield Figure(metric.title, metric.help, values)


def _written(metric: Metric[Health], value: float, language: Language) -> str:
    unit = metric.unit
    if unit is INSTANT:
        return language.moment(datetime.fromtimestamp(value, UTC))
    if unit is BYTES:
        return _size(value, language)
    number = float(value * unit.factor)
    if unit is SECONDS:
        return f"{language.number(round(number, 2 if number < 10 else 0))}\u202f{unit.symbol}"
    return " ".join(filter(None, (language.number(round(number, 2)), unit.symbol)))


def _size(size: float, language: Language) -> str:
    units = iter(_UNITS[language.tag])
    unit = next(units)
    while size >= _KIB and unit != _UNITS[language.tag][-1]:
        size, unit = size / _KIB, next(units)
    return f"{language.number(round(size, 1 if size < 100 else 0))}\u202f{unit}"
