"""Offers the dashboard among those that a person can add, and writes it when it is opened."""

from pathlib import Path
from typing import Any, Final

from homeassistant.components import frontend, websocket_api
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
import probatio as vol

from ..const import DOMAIN
from . import household
from .layout import dashboard

MODULE: Final = Path(__file__).with_name("strategy.js")
URL: Final = f"/{DOMAIN}/{MODULE.name}"
COMMAND: Final = f"{DOMAIN}/dashboard"


async def async_offer_dashboard(hass: HomeAssistant) -> None:
    """Have pages load the dashboard's strategy, if this Home Assistant has pages."""
    if frontend.DOMAIN not in hass.config.components:
        return
    websocket_api.async_register_command(hass, _write)
    # Loaded each time, so that no browser keeps that of a former version: it is small.
    module = StaticPathConfig(URL, str(MODULE), cache_headers=False)
    await hass.http.async_register_static_paths([module])
    frontend.add_extra_js_url(hass, URL)


@websocket_api.websocket_command(
    {vol.Required("type"): COMMAND, vol.Required("language"): vol.All(str, vol.Length(max=20))}
)
@websocket_api.async_response
async def _write(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]
) -> None:
    """Write the dashboard of the present facts, in the language of the viewer."""
    home, collectives = await household.home(hass), household.collectives(hass)
    plants = household.plants(hass)
    uncounted = await household.uncounted(hass, home, collectives, plants)
    written = dashboard(home, collectives, message["language"], plants, uncounted)
    connection.send_result(message["id"], written)
