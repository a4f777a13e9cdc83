"""Adding the household's node, or moving it."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL, PERCENTAGE
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import probatio as vol

from ..const import CONF_APP, CONF_COEFFICIENT, CONF_KIND, CONF_SHARING_KEY, KIND_NODE
from .api.answers import Node
from .api.client import NodeClient, NodeError, OtherNode, base_url
from .computed.simulation import Key

TITLE = "Consometers"
EXAMPLE_URL = "http://consometers.local:8099"

_URL = TextSelector(TextSelectorConfig(type=TextSelectorType.URL, autocomplete="off"))
_TOKEN = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
TOKEN_SCHEMA = vol.Schema({vol.Required(CONF_TOKEN): _TOKEN})
NODE_SCHEMA = vol.Schema({vol.Required(CONF_URL): _URL, vol.Required(CONF_TOKEN): _TOKEN})
RECONFIGURE_SCHEMA = vol.Schema({vol.Required(CONF_URL): _URL, vol.Optional(CONF_TOKEN): _TOKEN})

NO_COEFFICIENT = "no_coefficient"
SIMULATION_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SHARING_KEY, default=Key.USE): SelectSelector(
            SelectSelectorConfig(options=list(Key), translation_key=CONF_SHARING_KEY)
        ),
        vol.Optional(CONF_COEFFICIENT): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=100,
                step="any",
                unit_of_measurement=PERCENTAGE,
                mode=NumberSelectorMode.BOX,
            )
        ),
    }
)


class NodeOptionsFlow(OptionsFlowWithReload):
    """By which key collective self-consumption is simulated."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask at once."""
        return await self.async_step_simulation()

    async def async_step_simulation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the key, and for the home's part where it is fixed."""
        errors = {}
        if user_input is not None:
            is_fixed = user_input[CONF_SHARING_KEY] == Key.FIXED
            if not is_fixed or CONF_COEFFICIENT in user_input:
                return self.async_create_entry(data=user_input)
            errors[CONF_COEFFICIENT] = NO_COEFFICIENT
        return self.async_show_form(
            step_id="simulation",
            data_schema=self.add_suggested_values_to_schema(
                SIMULATION_SCHEMA, user_input or self.config_entry.options
            ),
            errors=errors,
        )


class NodeFlow(ConfigFlow):
    """Adds a node that the Supervisor or a person names, after a first request to it."""

    def __init__(self) -> None:
        """Start without a node."""
        super().__init__()
        self._discovered: dict[str, Any] = {}

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        config = discovery_info.config
        url, token = f"http://{config[CONF_HOST]}:{config[CONF_PORT]}", config[CONF_TOKEN]
        try:
            node = await self._node_at(url, token)
        except NodeError as error:
            return self.async_abort(reason=error.key)
        data = {CONF_URL: base_url(url), CONF_TOKEN: token, CONF_APP: discovery_info.slug}
        self._follow(await self.async_set_unique_id(node.id), data)
        self._discovered = data
        self.context["title_placeholders"] = {"name": TITLE}
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask before a node that the Supervisor announced is added."""
        if user_input is not None:
            return self._create(self._discovered)
        return self.async_show_form(step_id="hassio_confirm")

    async def async_step_node(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the node is, and for its token."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                data = _typed(user_input)
                node = await self._node_at(data[CONF_URL], data[CONF_TOKEN])
            except NodeError as error:
                errors["base"] = error.key
            else:
                entry = await self.async_set_unique_id(node.id, raise_on_progress=False)
                self._follow(entry, data)
                return self._create(data)
        return self.async_show_form(
            step_id="node",
            data_schema=self.add_suggested_values_to_schema(NODE_SCHEMA, user_input),
            description_placeholders={"example": EXAMPLE_URL},
            errors=errors,
        )

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the current token: the node no longer accepts the stored one."""
        entry = self._get_reauth_entry()
        return await self._change(entry, "reauth_confirm", TOKEN_SCHEMA, user_input)

    async def async_step_reconfigure_node(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the node is now. Without a token, the stored one stays."""
        entry = self._get_reconfigure_entry()
        return await self._change(entry, "reconfigure_node", RECONFIGURE_SCHEMA, user_input)

    async def _change(
        self,
        entry: ConfigEntry,
        step_id: str,
        schema: vol.Schema,
        user_input: dict[str, Any] | None,
    ) -> ConfigFlowResult:
        """Reach the same node at another address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                data = _typed({**entry.data, **user_input})
                node = await self._node_at(data[CONF_URL], data[CONF_TOKEN])
                if node.id != entry.unique_id:
                    raise OtherNode
            except NodeError as error:
                errors["base"] = error.key
            else:
                return self.async_update_reload_and_abort(
                    entry, data=data, reason=f"node_{self.source}_successful"
                )
        shown = {CONF_URL: entry.data[CONF_URL]} | (user_input or {})
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            description_placeholders={"example": EXAMPLE_URL},
            errors=errors,
        )

    def _follow(self, entry: ConfigEntry | None, data: dict[str, Any]) -> None:
        """Update a known node to its new address, and abort."""
        if entry is not None and entry.state is ConfigEntryState.SETUP_ERROR:
            # The stored token was wrong. Home Assistant would wait for a person.
            entries = self.hass.config_entries
            entries.async_update_entry(entry, data={**entry.data, **data})
            entries.async_schedule_reload(entry.entry_id)
        self._abort_if_unique_id_configured(updates=data, error="node_already_configured")

    async def _node_at(self, url: str, token: str) -> Node:
        return await NodeClient(async_get_clientsession(self.hass), url, token).node()

    def _create(self, data: dict[str, Any]) -> ConfigFlowResult:
        return self.async_create_entry(title=TITLE, data={CONF_KIND: KIND_NODE, **data})


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the normalized input. Raises InvalidUrl."""
    return {**data, CONF_URL: base_url(data[CONF_URL]), CONF_TOKEN: data[CONF_TOKEN].strip()}
