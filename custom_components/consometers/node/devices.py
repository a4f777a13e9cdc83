"""The node and its collectives as devices: made, renamed and removed as the node reports them."""

from functools import partial

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN
from .api.answers import Node, plant_key


def node_identifier(entry: ConfigEntry) -> tuple[str, str]:
    """Name the device of the node."""
    return DOMAIN, entry.entry_id


def collective_identifier(entry: ConfigEntry, collective_id: str) -> tuple[str, str]:
    """Name the device of a collective."""
    return DOMAIN, f"{entry.entry_id}_{collective_id}"


def plant_identifier(entry: ConfigEntry, identifier: str) -> tuple[str, str]:
    """Name the device of a plant."""
    return DOMAIN, f"{entry.entry_id}:{identifier}"


def plant_id(entry: ConfigEntry, identifiers: set[tuple[str, str]]) -> str | None:
    """Return the plant of a device of the entry; None for another device."""
    return _below(f"{entry.entry_id}:", identifiers)


def collective_id(entry: ConfigEntry, identifiers: set[tuple[str, str]]) -> str | None:
    """Return the collective of a device of the entry; None for another device."""
    return _below(f"{entry.entry_id}_", identifiers)


def _below(prefix: str, identifiers: set[tuple[str, str]]) -> str | None:
    names = (name for domain, name in identifiers if domain == DOMAIN)
    return next((n.removeprefix(prefix) for n in names if n.startswith(prefix)), None)


def keep(hass: HomeAssistant, entry: ConfigEntry, node: Node, page: str) -> None:
    """Have a device for the node, for each of its collectives and each plant, and no other."""
    registry = dr.async_get(hass)
    service = partial(
        registry.async_get_or_create,
        config_entry_id=entry.entry_id,
        entry_type=dr.DeviceEntryType.SERVICE,
        configuration_url=page,
    )
    of_node = service(
        identifiers={node_identifier(entry)},
        translation_key="node",
        manufacturer="Consometers",
        sw_version=node.version,
    )
    device_ids = {of_node.id}
    for collective in node.collectives:
        device = service(
            identifiers={collective_identifier(entry, collective.id)},
            name=collective.name,
            via_device_id=of_node.id,
        )
        device_ids.add(device.id)
        for plant in collective.plants or ():
            of_plant = service(
                identifiers={plant_identifier(entry, plant_key(collective.id, plant.id))},
                name=plant.name,
                via_device_id=device.id,
            )
            device_ids.add(of_plant.id)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.id not in device_ids:
            registry.async_remove_device(device.id)
