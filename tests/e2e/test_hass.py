"""The Home Assistant that the other tests stand on."""

from demo.hass import Hass


async def test_starts_with_an_owner_and_without_a_meter(hass: Hass) -> None:
    assert "person.kersabiec" in {state["entity_id"] for state in await hass.api.states()}
    assert await hass.api.entries("consometers") == []


async def test_is_at_home_in_lorient(hass: Hass) -> None:
    config = await hass.api.command("get_config")
    assert (config["location_name"], config["country"]) == ("Kersabiec", "FR")
    assert (config["time_zone"], config["unit_system"]["length"]) == ("Europe/Paris", "km")


async def test_loads_our_integration_without_a_complaint(hass: Hass) -> None:
    handlers = await hass.api.request("GET", "config/config_entries/flow_handlers")
    assert "consometers" in handlers
    assert hass.problems() == []
