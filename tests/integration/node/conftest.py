"""A node that answers over HTTP, and a Home Assistant that may have it."""

from collections.abc import AsyncIterator

from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import CONF_KIND, DOMAIN, KIND_NODE
from testing.integration.node import NodeView
from testing.integration.toy_node import NODE_ID, TOKEN, ToyNode


@pytest.fixture
async def toy(socket_enabled: None) -> AsyncIterator[ToyNode]:
    async with ToyNode() as toy:
        yield toy


@pytest.fixture
def entry(hass: HomeAssistant, toy: ToyNode, enable_custom_integrations: None) -> MockConfigEntry:
    """Return an entry for the toy node, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Consometers",
        unique_id=NODE_ID,
        data={CONF_KIND: KIND_NODE, CONF_URL: toy.url, CONF_TOKEN: TOKEN},
        entry_id="01JNODE000000000000000000A",
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def house(hass: HomeAssistant, entry: MockConfigEntry, toy: ToyNode) -> NodeView:
    """Return a home whose node shares with one collective. Nothing is set up yet."""
    return NodeView(hass, entry, toy)
