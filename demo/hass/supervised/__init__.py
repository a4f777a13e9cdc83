"""The minimum of Home Assistant for add-ons: discovery, ingress, panels in the sidebar.

All of that is core's own code. The whole of core's integration asks a Supervisor for its machine,
its images and its updates, of which `demo.servers.supervisor` has none.
"""

from homeassistant.components import frontend
from homeassistant.components.hassio.addon_panel import async_setup_addon_panel
from homeassistant.components.hassio.const import DATA_COMPONENT, DATA_HASSIO_HOST
from homeassistant.components.hassio.discovery import async_setup_discovery_view
from homeassistant.components.hassio.handler import HassIO, get_supervisor_client
from homeassistant.components.hassio.ingress import async_setup_ingress_view
from homeassistant.components.hassio.websocket_api import async_load_websocket_api
from homeassistant.const import EVENT_HOMEASSISTANT_START
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.typing import ConfigType

DOMAIN = "supervised"


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    host = config[DOMAIN]["by"]
    hass.data[DATA_COMPONENT] = HassIO(hass.loop, async_get_clientsession(hass), host)
    hass.data[DATA_HASSIO_HOST] = host
    async_load_websocket_api(hass)
    async_setup_discovery_view(hass)
    async_setup_ingress_view(hass)
    async_setup_addon_panel(hass)

    async def show_panels(_: Event) -> None:
        for slug, panel in (await get_supervisor_client(hass).ingress.panels()).items():
            frontend.async_register_built_in_panel(
                hass,
                "app",
                frontend_url_path=slug,
                sidebar_title=panel.title,
                sidebar_icon=panel.icon,
                require_admin=panel.admin,
                config={"addon": slug},
            )

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_START, show_panels)
    return True
