"""Adding a meter, an inverter, the home's balance or the node: each has its steps."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_DEVICE
from homeassistant.core import callback
from homeassistant.helpers.service_info.usb import UsbServiceInfo

from .balance.flow import BalanceFlow
from .const import DOMAIN
from .entries import kind
from .inverter.flow import InverterFlow
from .kinds import kind_of
from .linky.flow import LinkyFlow
from .node.flow import NodeFlow
from .ports import stable


class ConsometersConfigFlow(LinkyFlow, InverterFlow, BalanceFlow, NodeFlow, domain=DOMAIN):
    """Asks what to add or change, and continues with the steps of that kind."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        options_flow = kind_of(config_entry).options_flow
        assert options_flow is not None
        return options_flow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Return whether there is anything to choose: of a home, its sources alone."""
        return kind_of(config_entry).options_flow is not None

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_show_menu(
            step_id="user", menu_options=["meter", "inverter", "inverter_line", "balance", "node"]
        )

    @override
    async def async_step_usb(self, discovery_info: UsbServiceInfo) -> ConfigFlowResult:
        self._device = await stable(self.hass, discovery_info.device)
        await self.async_set_unique_id(f"{discovery_info.vid}:{discovery_info.serial_number}")
        self._async_abort_entries_match({CONF_DEVICE: self._device})
        self.context["title_placeholders"] = {
            "name": discovery_info.description or discovery_info.serial_number or "TIC"
        }
        return await self.async_step_usb_confirm()

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for a token: of all kinds, the node alone has one."""
        return await self.async_step_reauth_confirm()

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change where the meter, the inverter or the node is, or what a home is made of."""
        step = f"async_step_reconfigure_{kind(self._get_reconfigure_entry())}"
        result: ConfigFlowResult = await getattr(self, step)()
        return result
