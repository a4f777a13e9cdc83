"""Keeps the household's node up to date in Home Assistant: by events, and by polling."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from functools import partial
import logging
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..const import CONF_APP, DOMAIN
from ..issues import clear
from . import devices, issues
from .api.answers import Node
from .api.client import NodeClient, NodeError, OtherNode, WrongToken
from .computed.simulation_coordinator import FindMeter, SimulationCoordinator
from .computed.surplus_coordinator import SurplusCoordinator

_LOGGER = logging.getLogger(__name__)

POLL: Final = timedelta(minutes=1)
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0

type NodeConfigEntry = ConfigEntry[NodeCoordinator]


async def require_administrator(hass: HomeAssistant, context: Context | None) -> None:
    """Raise ServiceValidationError if the caller is a person, and no administrator.

    An automation acts by itself, and for nobody: administrators wrote it.
    """
    user_id = None if context is None else context.user_id
    if user_id is None:
        return
    user = await hass.auth.async_get_user(user_id)
    if user is None or not user.is_admin:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="only_administrators"
        )


class NodeCoordinator(DataUpdateCoordinator[Node]):
    """Owns the state of one node, and the task that listens to it."""

    config_entry: NodeConfigEntry

    def __init__(self, hass: HomeAssistant, entry: NodeConfigEntry, find_meter: FindMeter) -> None:
        """Start without an answer. `find_meter` finds the meter of the home's consumption."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=POLL,
            always_update=False,
        )
        self.client = NodeClient(
            async_get_clientsession(hass), entry.data[CONF_URL], entry.data[CONF_TOKEN]
        )
        self.listening = False
        self.surplus: SurplusCoordinator
        self.simulation: SimulationCoordinator
        self._find_meter = find_meter

    @property
    def failure(self) -> BaseException | None:
        """Why the node is unavailable, while it is."""
        return None if self.last_update_success else self.last_exception

    @property
    def page(self) -> str:
        """Where a person finds the node's page."""
        app = self.config_entry.data.get(CONF_APP)
        return f"homeassistant://app/{app}" if app else str(self.config_entry.data[CONF_URL])

    async def async_start(self) -> None:
        """Ask a first time, and listen from then on.

        Raises ConfigEntryNotReady or ConfigEntryAuthFailed.
        """
        entry = self.config_entry
        await self.async_config_entry_first_refresh()
        self.surplus = SurplusCoordinator(self)
        self.surplus.async_start()
        self.simulation = SimulationCoordinator(self, self._find_meter)
        self.simulation.async_start()
        entry.async_on_unload(partial(clear, self.hass, entry))
        entry.async_create_background_task(self.hass, self._listen(), f"{DOMAIN} {entry.title}")

    async def async_pause(self, collective_id: str, *, paused: bool) -> None:
        """Pause the grants of a collective, or resume them."""
        try:
            await self.client.pause(collective_id, paused=paused)
        except NodeError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key=error.key
            ) from error
        finally:
            await self.async_refresh()

    @override
    async def _async_update_data(self) -> Node:
        try:
            node = await self.client.node()
            if node.id != self.config_entry.unique_id:
                raise OtherNode
        except WrongToken as error:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=error.key
            ) from error
        except NodeError as error:
            raise UpdateFailed(translation_domain=DOMAIN, translation_key=error.key) from error
        return node

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        if self.last_update_success and not self._shutdown_requested:
            devices.keep(self.hass, self.config_entry, self.data, self.page)
            issues.keep(self.hass, self.config_entry, self.data, self.page)

    async def _listen(self) -> None:
        """Poll the node at each of its events, and when it is lost or back."""
        retry_s = FIRST_RETRY_S
        while True:
            began = self.hass.loop.time()
            try:
                async with aclosing(self.client.changes()) as changes:
                    async for _ in changes:
                        self.listening = True
                        await self.async_refresh()
            except WrongToken:
                await self.async_refresh()
                if isinstance(self.failure, ConfigEntryAuthFailed):
                    # A client with a wrong token is locked out, and the person with it.
                    return
            except NodeError as error:
                _LOGGER.debug("%s: the node cannot be listened to: %s", self.name, error.key)
            if self.listening:
                self.listening = False
                await self.async_refresh()
            if self.hass.loop.time() - began > LONGEST_RETRY_S:
                retry_s = FIRST_RETRY_S
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)
