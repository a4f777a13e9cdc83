"""The kinds of things that an entry can be."""

from typing import TypeIs

from homeassistant.config_entries import ConfigEntry

from .balance.tracker import BalanceConfigEntry
from .const import CONF_KIND, KIND_BALANCE, KIND_INVERTER, KIND_NODE
from .inverter.coordinator import InverterConfigEntry
from .linky.coordinator import LinkyConfigEntry
from .node.coordinator import NodeConfigEntry

type MeterOrNodeConfigEntry = LinkyConfigEntry | NodeConfigEntry
type ConsometersConfigEntry = MeterOrNodeConfigEntry | InverterConfigEntry | BalanceConfigEntry


def is_node(entry: ConfigEntry) -> TypeIs[NodeConfigEntry]:
    """Return whether an entry is the household's node. One that says nothing is a meter."""
    return bool(entry.data.get(CONF_KIND) == KIND_NODE)


def is_inverter(entry: ConfigEntry) -> TypeIs[InverterConfigEntry]:
    """Return whether an entry is a solar inverter."""
    return bool(entry.data.get(CONF_KIND) == KIND_INVERTER)


def is_balance(entry: ConfigEntry) -> TypeIs[BalanceConfigEntry]:
    """Return whether an entry is a whole home, summed up."""
    return bool(entry.data.get(CONF_KIND) == KIND_BALANCE)
