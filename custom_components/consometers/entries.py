"""Shared by entries of every kind: the kind, their sensors by key, and their store."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.storage import Store

from .const import CONF_KIND, DOMAIN, KIND_METER


def kind(entry: ConfigEntry) -> str:
    """Return what an entry is. One that says nothing is a meter."""
    return str(entry.data.get(CONF_KIND, KIND_METER))


def sensor_id(hass: HomeAssistant, entry: ConfigEntry, key: str) -> str | None:
    """Return the entity id of a sensor of an entry; None if it has none."""
    registry = er.async_get(hass)
    return registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{entry.entry_id}_{key}")


def store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    """Return the store of the totals of an inverter or a home."""
    return Store(hass, 1, f"{DOMAIN}.{entry.entry_id}", private=True)
