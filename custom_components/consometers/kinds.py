"""The kinds of things that an entry can be."""

from typing import TypeIs

from homeassistant.config_entries import ConfigEntry

from .const import CONF_KIND, KIND_INVERTER, KIND_NODE
from .inverter.coordinator import InverterConfigEntry
from .linky.coordinator import LinkyConfigEntry
from .node.coordinator import NodeConfigEntry

type ConsometersConfigEntry = LinkyConfigEntry | NodeConfigEntry | InverterConfigEntry


def is_node(entry: ConfigEntry) -> TypeIs[NodeConfigEntry]:
    """Tell whether an entry is the household's node. One that says nothing is a meter."""
    return bool(entry.data.get(CONF_KIND) == KIND_NODE)


def is_inverter(entry: ConfigEntry) -> TypeIs[InverterConfigEntry]:
    """Tell whether an entry is a solar inverter."""
    return bool(entry.data.get(CONF_KIND) == KIND_INVERTER)
