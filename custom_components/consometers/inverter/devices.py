"""The inverter as a device, and the devices wired to it: meters, a battery."""

from functools import partial

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from ..const import CONF_UNIT_ID, DOMAIN
from .link import Map
from .readings import Identity


def name_of(identity: Identity, unit_id: int) -> str:
    """Name an inverter so that it differs from others of its kind."""
    kind = " ".join(filter(None, (identity.maker, identity.model))) or "SunSpec"
    return f"{kind} {identity.masked or f'#{unit_id}'}"


def identifier(entry: ConfigEntry, part: str | None = None) -> tuple[str, str]:
    """Name the device of the inverter, or of a part: "meter_1", "battery"."""
    return DOMAIN, entry.entry_id if part is None else f"{entry.entry_id}_{part}"


def keep(hass: HomeAssistant, entry: ConfigEntry, inverter_map: Map) -> None:
    """Have a device for the inverter and for each part wired to it, and no other."""
    registry, identity = dr.async_get(hass), inverter_map.identity
    name = name_of(identity, entry.data[CONF_UNIT_ID])
    inverter = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={identifier(entry)},
        name=name,
        manufacturer=identity.maker or None,
        model=identity.model or None,
        sw_version=identity.version or None,
        serial_number=identity.serial or None,
    )
    part = partial(
        registry.async_get_or_create, config_entry_id=entry.entry_id, via_device_id=inverter.id
    )
    device_ids = {inverter.id}
    several = len(inverter_map.meters) > 1
    for number in range(1, len(inverter_map.meters) + 1):
        meter = part(
            identifiers={identifier(entry, f"meter_{number}")},
            translation_key="inverter_meter_number" if several else "inverter_meter",
            translation_placeholders={"inverter": name}
            | ({"number": str(number)} if several else {}),
        )
        device_ids.add(meter.id)
    if inverter_map.battery is not None:
        battery = part(
            identifiers={identifier(entry, "battery")},
            translation_key="inverter_battery",
            translation_placeholders={"inverter": name},
        )
        device_ids.add(battery.id)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.id not in device_ids:
            registry.async_remove_device(device.id)
