"""The kinds of entries, one row of the table each: all that Home Assistant's doors ask of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from homeassistant.config_entries import ConfigEntry, OptionsFlow
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.storage import Store

from .balance import diagnostics as balance_diagnostics, saving as balance_entities
from .balance.past import take_past_along
from .balance.tracker import BalanceTracker
from .const import KIND_BALANCE, KIND_INVERTER, KIND_METER, KIND_NODE
from .dashboard.household import own_meter, present_price
from .entries import kind, store
from .history.continuing import continue_history
from .inverter import diagnostics as inverter_diagnostics, entity as inverter_entities
from .inverter.coordinator import InverterCoordinator
from .inverter.flow import InverterOptionsFlow
from .linky import diagnostics as linky_diagnostics
from .linky.coordinator import LinkyCoordinator
from .linky.entities import entity as linky_entities
from .linky.flow import LinkyOptionsFlow
from .node import diagnostics as node_diagnostics, entities as node_entities
from .node.computed.surplus_coordinator import sun_store
from .node.coordinator import NodeCoordinator
from .node.flow import NodeOptionsFlow


class RuntimeData(Protocol):
    """What an entry has while it is loaded. It ends with the entry, by what it registers there."""

    async def async_start(self) -> None:
        """Begin. Raises ConfigEntryNotReady or ConfigEntryAuthFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind[R: RuntimeData]:
    """A kind of entries."""

    runtime_data: Callable[[HomeAssistant, ConfigEntry[R]], R]
    platforms: Mapping[Platform, Callable[[R, AddConfigEntryEntitiesCallback], None]]
    """What adds the entities of each platform."""
    diagnostics: Callable[[R], Awaitable[dict[str, Any]]]
    options_flow: type[OptionsFlow] | None = None
    with_entities: Callable[[HomeAssistant, ConfigEntry[R]], None] | None = None
    """What begins once the entities are there."""
    store: Callable[[HomeAssistant, ConfigEntry[R]], Store[Any]] | None = None
    """What goes with the entry."""


KINDS: Final[Mapping[str, Kind[Any]]] = {
    KIND_METER: Kind[LinkyCoordinator](
        runtime_data=LinkyCoordinator,
        platforms={
            Platform.BINARY_SENSOR: linky_entities.add_binary_sensors,
            Platform.SENSOR: linky_entities.add_sensors,
        },
        diagnostics=linky_diagnostics.diagnostics,
        options_flow=LinkyOptionsFlow,
        with_entities=continue_history,
    ),
    KIND_INVERTER: Kind[InverterCoordinator](
        runtime_data=InverterCoordinator,
        platforms={Platform.SENSOR: inverter_entities.add_sensors},
        diagnostics=inverter_diagnostics.diagnostics,
        options_flow=InverterOptionsFlow,
        store=store,
    ),
    KIND_BALANCE: Kind[BalanceTracker](
        runtime_data=BalanceTracker,
        platforms={
            Platform.SENSOR: partial(balance_entities.add_sensors, find_price=present_price)
        },
        diagnostics=balance_diagnostics.diagnostics,
        with_entities=take_past_along,
        store=store,
    ),
    KIND_NODE: Kind[NodeCoordinator](
        runtime_data=partial(NodeCoordinator, find_meter=own_meter),
        platforms={
            Platform.BINARY_SENSOR: node_entities.add_binary_sensors,
            Platform.CALENDAR: node_entities.add_calendars,
            Platform.SENSOR: node_entities.add_sensors,
            Platform.SWITCH: node_entities.add_switches,
        },
        diagnostics=node_diagnostics.diagnostics,
        options_flow=NodeOptionsFlow,
        store=sun_store,
    ),
}


@callback
def kind_of(entry: ConfigEntry) -> Kind[Any]:
    """Return the row of an entry."""
    return KINDS[kind(entry)]


async def async_add(
    platform: Platform,
    hass: HomeAssistant,
    entry: ConfigEntry,
    add: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities that a platform has of an entry."""
    kind_of(entry).platforms[platform](entry.runtime_data, add)
