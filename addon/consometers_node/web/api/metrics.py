"""The state of a collective's node, for Prometheus: `/metrics`, on a listener of its own.

It is no part of the pages: nobody reaches it from outside unless its address is chosen so.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractAsyncContextManager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric as Family,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from consometers_node.collective.monitoring.health import Health, Watch
from consometers_node.collective.monitoring.metrics import HEALTH, PUBLISHED, Metric
from consometers_node.web.core.access import Handler, is_known
from consometers_node.web.core.listening import Bounds, listening

PATH = "/metrics"

_MAX_BODY_BYTES = 1024
_WATCH = web.AppKey("watch", Watch)


class Metrics:
    """Answers the programs that monitor the node."""

    def __init__(self, watch: Watch, names: Collection[str] = ()) -> None:
        """Prepare; nothing is read before the first request. `names` are those of the machine."""
        self.app = web.Application(middlewares=[self._check_host], client_max_size=_MAX_BODY_BYTES)
        self.app[_WATCH] = watch
        self._names = names
        self.app.add_routes([web.get(PATH, _metrics)])

    def listening(
        self, host: str, port: int, bounds: Bounds | None = None
    ) -> AbstractAsyncContextManager[int]:
        return listening(self.app, host, port, bounds=bounds)

    @web.middleware
    async def _check_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_known(request, self._names):
            return web.Response(status=421, text="This name is not in page.names.\n")
        return await handler(request)


async def _metrics(request: web.Request) -> web.Response:
    registry = CollectorRegistry()
    registry.register(_Collected(await request.app[_WATCH].health()))
    write, kind = choose_encoder(", ".join(request.headers.getall("Accept", ())))
    headers = {"Content-Type": kind, "Cache-Control": "no-store", "Vary": "Accept"}
    return web.Response(body=write(registry), headers=headers)


class _Collected(Collector):
    """One scrape, in Prometheus' format."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterable[Family]:
        yield from _families(HEALTH, self._health)
        database = self._health.database
        if database is not None and database.latest is not None:
            yield from _families(PUBLISHED, database.latest)


def _families[Source](metrics: Iterable[Metric[Source]], source: Source) -> Iterator[Family]:
    for metric in metrics:
        values = dict(metric.values(source))
        if values:
            yield _family(metric, values)


def _family[Source](metric: Metric[Source], values: dict[str, float | str]) -> Family:
    help_text, label = metric.help.say("en"), metric.label
    if isinstance(version := values.get(""), str):
        return InfoMetricFamily(metric.name, help_text, value={"version": version})
    make = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
    family = make(metric.name, help_text, labels=[label.name] if label else [])
    for label_value, value in values.items():
        family.add_metric([label_value] if label else [], float(value))
    return family
