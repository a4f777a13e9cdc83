"""A person's setup of the school's Home Assistant: devices, entities, dashboards.

All of it goes through the flows and commands that the pages use.
"""

import asyncio
from collections.abc import Mapping, Set
from typing import Any, Final, cast

from demo.hass import Api, FlowStep, HassError, Language

DOMAIN: Final = "consometers"

_BY_SUPERVISOR: Final = "hassio"
_FIRST_VALUES_S: Final = 300
_FIRST_SUMS_S: Final = 600
_OF_A_COLLECTIVE: Final = "_consumption_power"
_PRICES: Final = {"price_easf01": 0.16, "price_easf02": 0.21}
"""Euros for a kWh, off-peak and peak."""
_DASHBOARD: Final = {"en": ("my-energy", "My energy"), "fr": ("mon-energie", "Mon énergie")}
"""Where a person puts the ready dashboard, by language: what is suggested where one is added."""

type EntityIds = Mapping[str, str]
"""Entity ids by the key of their fact: it is the end of their unique id."""


class HouseError(Exception):
    """The house cannot be opened, or has closed by itself; the text says why."""


async def entity_ids(api: Api, entry_id: str) -> EntityIds:
    return {
        entity["unique_id"].removeprefix(f"{entry_id}_"): entity["entity_id"]
        for entity in await api.entities(entry_id)
    }


async def entry_with(api: Api, has: Set[str], has_not: Set[str] = frozenset()) -> str | None:
    """Return the entry that has such entities, if it was added."""
    for entry in await api.entries(DOMAIN):
        keys = (await entity_ids(api, entry["entry_id"])).keys()
        if has <= keys and keys.isdisjoint(has_not):
            return cast(str, entry["entry_id"])
    return None


async def add_meter(api: Api, port: str) -> str:
    """Add the meter on a port, once it was heard, and return its entry."""
    step = await api.start_flow(DOMAIN, choice="meter")
    step = await api.submit(step, device=port)
    if step.get("step_id") != "confirm":
        raise HouseError(f"No meter was found on {port}: {step}")
    return _entry_id(await api.submit(step))


async def add_inverter(api: Api, host: str, port: int, unit_id: int) -> str:
    """Add the inverter at an address, once it has answered, and return its entry."""
    step = await api.start_flow(DOMAIN, choice="inverter")
    step = await api.submit(step, host=host, port=port, unit_id=unit_id)
    if step.get("step_id") != "inverter_found":
        raise HouseError(f"No inverter was found on {host}, port {port}: {step}")
    return _entry_id(await api.submit(step))


async def add_balance(api: Api, home: str, **sources: Any) -> str:
    """Add the balance of a home of some kind, from these entities."""
    step = await api.start_flow(DOMAIN, choice="balance")
    step = await api.submit(step, home=home)
    return _entry_id(await api.submit(step, **sources))


async def discovered_node(api: Api) -> str:
    """Add the node that the Supervisor announces, unless it was added, and return its entry."""
    for _ in range(2 * _FIRST_VALUES_S):
        for entry in await api.entries(DOMAIN):
            if entry["source"] == _BY_SUPERVISOR:
                return cast(str, entry["entry_id"])
        for flow in await api.command("config_entries/flow/progress"):
            if flow["handler"] == DOMAIN and flow["context"]["source"] == _BY_SUPERVISOR:
                return _entry_id(await api.submit(flow))
        await asyncio.sleep(0.5)
    raise HouseError("Home Assistant does not find the node.")


def _entry_id(step: FlowStep) -> str:
    if step["type"] != "create_entry":
        raise HouseError(f"Home Assistant made no entry: {step}")
    return cast(str, step["result"]["entry_id"])


async def entities_with(api: Api, entry_id: str, wanted: Set[str]) -> EntityIds:
    """Wait until the wanted entities have values, and return all of the entry's.

    Those that were there before have values of former times, which do as well.
    """
    for _ in range(2 * _FIRST_VALUES_S):
        entities = await entity_ids(api, entry_id)
        if wanted <= entities.keys():
            return entities
        await asyncio.sleep(0.5)
    raise HouseError(f"Home Assistant does not show {', '.join(sorted(wanted))}.")


async def device_page(api: Api, entry_id: str) -> str:
    """Return the page of an entry's device: the first, if others are wired to it."""
    devices = await api.command("config/device_registry/list")
    device = next(device for device in devices if entry_id in device["config_entries"])
    return f"{api.url}/config/devices/device/{device['id']}"


async def collective_page(api: Api, entry_id: str) -> str:
    """Wait until the node of an entry has sums of a collective; return their page."""
    for _ in range(2 * _FIRST_SUMS_S):
        for entity in await api.entities(entry_id):
            if entity["unique_id"].endswith(_OF_A_COLLECTIVE):
                return f"{api.url}/config/devices/device/{entity['device_id']}"
        await asyncio.sleep(0.5)
    raise HouseError("Home Assistant does not show the sums of a collective.")


async def ready_dashboard(api: Api, language: Language) -> str:
    """Add the integration's dashboard, unless it was added, and return its page."""
    paths = {dashboard["url_path"] for dashboard in await api.command("lovelace/dashboards/list")}
    for path, _ in _DASHBOARD.values():
        if path in paths:
            return f"{api.url}/{path}"
    path, title = _DASHBOARD[language]
    about = {"title": title, "icon": "mdi:home-lightning-bolt", "mode": "storage"}
    shown = {"show_in_sidebar": True, "require_admin": False}
    await api.command("lovelace/dashboards/create", url_path=path, **about, **shown)
    written = {"strategy": {"type": f"custom:{DOMAIN}"}}
    await api.command("lovelace/config/save", url_path=path, config=written)
    return f"{api.url}/{path}"


async def has_energy_dashboard(api: Api) -> bool:
    """Whether the Energy dashboard is set up."""
    try:
        preferences = await api.command("energy/get_prefs")
    except HassError:
        return False
    return bool(preferences["energy_sources"])


async def show_on_energy_dashboard(api: Api, shown: EntityIds) -> None:
    """Make the meters the home's connection to the grid on the Energy dashboard, and show panels.

    Only what is drawn has to be there.
    """
    grid: dict[str, Any] = {
        "type": "grid",
        "stat_energy_from": shown["energy_drawn"],
        "stat_energy_to": shown.get("energy_injected"),
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0,
    }
    if {"active_power_drawn", "active_power_injected"} <= shown.keys():
        grid["power_config"] = {
            "stat_rate_from": shown["active_power_drawn"],
            "stat_rate_to": shown["active_power_injected"],
        }
    sources = [grid]
    if (made := shown.get("energy")) is not None:
        solar = {"type": "solar", "stat_energy_from": made, "config_entry_solar_forecast": None}
        if (power := shown.get("power")) is not None:
            solar["stat_rate"] = power
        sources.append(solar)
    await api.command("energy/save_prefs", energy_sources=sources)


async def give_prices(api: Api, entry_id: str) -> None:
    """Set the price of a kWh by each tariff of a meter, as a person does in its options."""
    step = await api.start_options_flow(entry_id, choice="publication")
    asked = {field["name"] for field in step["data_schema"]}
    prices = {option: price for option, price in _PRICES.items() if option in asked}
    await api.submit_options(step, **prices)


async def net_power(api: Api) -> EntityIds:
    """Return Home Assistant's sensor of both powers of the grid, if they are on the dashboard."""
    for source in (await api.command("energy/get_prefs"))["energy_sources"]:
        if source["type"] == "grid" and source.get("stat_rate") is not None:
            return {"active_power": source["stat_rate"]}
    return {}


async def tidy(api: Api) -> None:
    """Remove distractions from a view of the meters.

    That is a map, and the notice that nobody should install Home Assistant as a Python package.
    """
    for dashboard in await api.command("lovelace/dashboards/list"):
        if dashboard["url_path"] == "map":
            await api.command("lovelace/dashboards/delete", dashboard_id=dashboard["id"])
    for issue in await api.issues("homeassistant"):
        if issue["issue_id"] == "deprecated_method":
            issue_key = {"domain": issue["domain"], "issue_id": issue["issue_id"]}
            await api.command("repairs/ignore_issue", **issue_key, ignore=True)
