"""What `run` tells of a collective's node to those who watch it: Prometheus, Zabbix."""

import asyncio
from collections.abc import Collection, Coroutine
import logging
from typing import TYPE_CHECKING

from consometers_node.collective.health import Watch
from consometers_node.collective.node import CollectiveNode
from consometers_node.collective.settings import Metrics
from consometers_node.quoalise import Text

from .version import version

if TYPE_CHECKING:
    from consometers_node.collective.zabbix import Sender

_LOGGER = logging.getLogger(__name__)


class Watching:
    """Tells whom the settings name, and nobody else. What nobody asked for is not loaded."""

    def __init__(self, node: CollectiveNode, haste: float = 1) -> None:
        """Prepare; nobody is told yet. With haste, all waits are that many times shorter."""
        self._watch = Watch(node, version())
        self._metrics = node.settings.metrics
        self._names = node.settings.page.names
        self._sender: Sender | None = None
        if (zabbix := node.settings.zabbix) is not None:
            from consometers_node.collective.zabbix import Sender  # noqa: PLC0415

            self._sender = Sender(self._watch, zabbix, zabbix.every_minutes * 60 / haste)

    @property
    def zabbix_problem(self) -> Text | None:
        """Why Zabbix is not told, for people; None if it is, or is not to be."""
        return None if self._sender is None else self._sender.problem

    def works(self) -> list[Coroutine[None, None, None]]:
        """Give what is to be done as long as the node runs."""
        works: list[Coroutine[None, None, None]] = []
        if self._metrics is not None:
            works.append(_serve(self._watch, self._metrics, self._names))
        if self._sender is not None:
            works.append(self._sender.run())
        return works


async def _serve(watch: Watch, of: Metrics, names: Collection[str]) -> None:
    """Serve the metrics until cancelled. Where they cannot be, the node does the rest."""
    from consometers_node.web.metrics import PATH, Metrics as Answers  # noqa: PLC0415

    try:
        async with Answers(watch, names).listening(of.host, of.port) as port:
            _LOGGER.info("Prometheus may ask at port %s for %s", port, PATH)
            await asyncio.Event().wait()
    except OSError as fault:
        _LOGGER.error("the metrics cannot be served at %s:%s: %s", of.host, of.port, fault)  # noqa: TRY400
