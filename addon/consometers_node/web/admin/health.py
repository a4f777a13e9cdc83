"""The state of the node, in figures: those of `/metrics`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
import platform
import shutil

from aiohttp import web
import sqlalchemy

from consometers_node.accounts import administrators
from consometers_node.collective.monitoring.backups import backups
from consometers_node.collective.monitoring.health import Health
from consometers_node.collective.monitoring.metrics import (
    BYTES,
    HEALTH,
    INSTANT,
    REFUSALS,
    SECONDS,
    Metric,
)
from consometers_node.collective.witness.heads import set_back
from consometers_node.collective.witness.register import overview
from consometers_node.i18n.text import Text
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.speech import Language

from .overview.concerns import of_node
from .page_base import AdminPages
from .words import BACKUP_STEPS

_KIB = 1024
_UNITS = {"en": ("B", "KiB", "MiB", "GiB", "TiB"), "fr": ("o", "Kio", "Mio", "Gio", "Tio")}


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return the state of the node."""
    health = await pages.watch.health() if pages.watch else None
    disk = shutil.disk_usage(pages.settings.folder)
    async with pages.store.reading() as connection:
        accounts = await administrators.administrators(connection, context.now)
        backed_up = await backups(connection)
        witnessed = await overview(connection, pages.settings.witness_for, context.now)
        back = await set_back(connection)
    return pages.page(
        context,
        "health.html",
        problems=await of_node(pages, backed_up, context.now),
        runs=pages.node is not None,
        account=pages.settings.xmpp.account,
        backups=[(words, backed_up.last.get(step)) for step, words in BACKUP_STEPS.items()],
        figures=list(_figures(health, context.language)) if health else [],
        since=health.counts.since if health else None,
        disk=(_size(disk.free, context.language), _size(disk.total, context.language)),
        database="PostgreSQL" if not pages.store.is_sqlite else "SQLite",
        versions={"Python": platform.python_version(), "SQLAlchemy": sqlalchemy.__version__},
        administrators=accounts,
        witnessed=witnessed,
        set_back=back,
        reasons=REFUSALS,
    )


def _figures(
    health: Health, language: Language
) -> Iterator[tuple[Metric[Health], Sequence[tuple[Text | None, str]]]]:
    """Yield the metrics with values, each value under its label, or the only one without."""
    for metric in HEALTH:
        values = [
            (metric.words[label_value], _written(metric, value, language))
            for label_value, value in metric.values(health)
            if not isinstance(value, str)
        ]
        if values:
            yield metric, values


def _written(metric: Metric[Health], value: float, language: Language) -> str:
    unit = metric.unit
    if unit is INSTANT:
        return language.moment(datetime.fromtimestamp(value, UTC))
    if unit is BYTES:
        return _size(value, language)
    scaled = float(value * unit.factor)
    if unit is SECONDS:
        return f"{language.number(round(scaled, 2 if scaled < 10 else 0))}\u202f{unit.symbol}"
    return " ".join(filter(None, (language.number(round(scaled, 2)), unit.symbol)))


def _size(size: float, language: Language) -> str:
    units = iter(_UNITS[language.tag])
    unit = next(units)
    while size >= _KIB and unit != _UNITS[language.tag][-1]:
        size, unit = size / _KIB, next(units)
    return f"{language.number(round(size, 1 if size < 100 else 0))}\u202f{unit}"
