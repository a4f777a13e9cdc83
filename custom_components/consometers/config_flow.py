"""What a person adds: a meter, or the household's node. Each has its own steps."""

from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import callback

from .const import DOMAIN
from .kinds import is_node
from .linky.flow import LinkyFlow, LinkyOptionsFlow
from .node.flow import NodeFlow


class ConsometersConfigFlow(LinkyFlow, NodeFlow, domain=DOMAIN):
    """Asks what is added or changed, and goes on with the steps of that kind."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> LinkyOptionsFlow:
        return LinkyOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Tell whether there is anything to choose: what a node shares is chosen on its page."""
        return not is_node(config_entry)

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return self.async_show_menu(step_id="user", menu_options=["meter", "node"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change where the meter or the node is."""
        if is_node(self._get_reconfigure_entry()):
            return await self.async_step_reconfigure_node()
        return await self.async_step_reconfigure_meter()
