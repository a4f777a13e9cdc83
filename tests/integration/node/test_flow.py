"""Adding a node, discovering it again, entering a new token."""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_HASSIO,
    ConfigEntryState,
)
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.config_flow import ConsometersConfigFlow
from custom_components.consometers.const import (
    CONF_APP,
    CONF_KIND,
    DOMAIN,
    KIND_BALANCE,
    KIND_NODE,
)
from testing.integration.flows import Flow
from testing.integration.node import NodeView
from testing.integration.toy_node import NODE_ID, TOKEN, ToyNode

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

SLUG = "a0d7b954_consometers"


def discovery(toy: ToyNode, **changes: Any) -> HassioServiceInfo:
    config = {"host": "127.0.0.1", "port": toy.port, "token": TOKEN, **changes}
    return HassioServiceInfo(config=config, name="Consometers", slug=SLUG, uuid="1234")


async def discover(hass: HomeAssistant, toy: ToyNode, **changes: Any) -> Flow:
    return await Flow.begin(hass, source=SOURCE_HASSIO, data=discovery(toy, **changes))


ERRORS = [
    pytest.param({"token": "another"}, "invalid_auth", id="wrong token"),
    pytest.param({"status": 429}, "too_many_attempts", id="too often"),
    pytest.param({"status": 502}, "cannot_connect", id="no answer"),
    pytest.param({"status": 404}, "not_a_node", id="not there"),
    pytest.param({"body": "<html>"}, "not_a_node", id="something else"),
    pytest.param({"answer": {"api": 2}}, "api_too_new", id="too new"),
]


class TestUser:
    async def test_a_node_is_added(self, hass: HomeAssistant, toy: ToyNode) -> None:
        flow = await Flow.begin(hass, "node")
        assert (flow.step, flow.errors) == ("node", {})
        assert flow.placeholders == {"example": "http://consometers.local:8099"}
        assert toy.asked == []

        entry = (await flow.submit(url=f" {toy.url}/ ", token=f"{TOKEN} ")).entry
        assert entry.title == "Consometers"
        assert entry.data == {CONF_KIND: KIND_NODE, CONF_URL: toy.url, CONF_TOKEN: TOKEN}
        assert entry.unique_id == NODE_ID
        assert entry.state is ConfigEntryState.LOADED

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_an_error_is_shown_and_can_be_retried(
        self, hass: HomeAssistant, toy: ToyNode, wrong: dict[str, Any], error: str
    ) -> None:
        right = toy.spoil(wrong)
        typed = {CONF_URL: toy.url, CONF_TOKEN: TOKEN}
        flow = await (await Flow.begin(hass, "node")).submit(typed)
        assert (flow.step, flow.errors) == ("node", {"base": error})
        assert flow.suggested == typed
        toy.spoil(right)
        assert (await flow.submit(typed)).entry.unique_id == NODE_ID

    @pytest.mark.parametrize(
        ("url", "error"),
        [("ftp://node.local", "invalid_url"), ("http://127.0.0.1:9", "cannot_connect")],
    )
    async def test_unusable_addresses_are_errors(
        self, hass: HomeAssistant, toy: ToyNode, url: str, error: str
    ) -> None:
        flow = await (await Flow.begin(hass, "node")).submit(url=url, token=TOKEN)
        assert flow.errors == {"base": error}

    async def test_adding_a_known_node_updates_its_address(
        self, hass: HomeAssistant, toy: ToyNode, entry: MockConfigEntry
    ) -> None:
        data = {**entry.data, CONF_URL: "http://elsewhere:8099"}
        hass.config_entries.async_update_entry(entry, data=data)
        flow = await (await Flow.begin(hass, "node")).submit(url=toy.url, token=TOKEN)
        assert flow.reason == "node_already_configured"
        assert entry.data[CONF_URL] == toy.url

    async def test_a_node_discovered_meanwhile_is_added_once(
        self, hass: HomeAssistant, toy: ToyNode
    ) -> None:
        await discover(hass, toy)
        assert (await discover(hass, toy)).reason == "already_in_progress"
        flow = await (await Flow.begin(hass, "node")).submit(url=toy.url, token=TOKEN)
        assert flow.entry.unique_id == NODE_ID
        assert hass.config_entries.flow.async_progress() == []


class TestDiscovery:
    async def test_a_discovered_app_is_added_after_confirmation(
        self, hass: HomeAssistant, toy: ToyNode
    ) -> None:
        flow = await discover(hass, toy)
        assert flow.step == "hassio_confirm"
        (progress,) = hass.config_entries.flow.async_progress()
        assert progress["context"]["title_placeholders"] == {"name": "Consometers"}
        assert hass.config_entries.async_entries(DOMAIN) == []

        entry = (await flow.submit()).entry
        assert entry.title == "Consometers"
        assert entry.data == app_data(toy)
        assert entry.unique_id == NODE_ID

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_an_unusable_node_is_not_proposed(
        self, hass: HomeAssistant, toy: ToyNode, wrong: dict[str, Any], error: str
    ) -> None:
        toy.spoil(wrong)
        assert (await discover(hass, toy)).reason == error

    async def test_a_configured_node_takes_the_discovered_address(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        house.change(**{CONF_URL: "http://elsewhere:8099", CONF_TOKEN: "former"})
        flow = await discover(hass, house.toy)
        await hass.async_block_till_done()
        assert flow.reason == "node_already_configured"
        assert house.entry.data == app_data(house.toy)

    async def test_discovery_replaces_a_changed_token(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        house.change(**{CONF_TOKEN: "former"})
        await house.set_up()
        assert house.entry_state == "setup_error"
        assert len(hass.config_entries.flow.async_progress()) == 1
        await discover(hass, house.toy)
        await hass.async_block_till_done()
        assert house.entry_state == "loaded"
        assert hass.config_entries.flow.async_progress() == []


def app_data(toy: ToyNode) -> dict[str, Any]:
    """Return the data of an entry for a node that is an app."""
    return {CONF_KIND: KIND_NODE, CONF_URL: toy.url, CONF_TOKEN: TOKEN, CONF_APP: SLUG}


async def test_reauthentication_takes_the_new_token(hass: HomeAssistant, house: NodeView) -> None:
    house.toy.token = "new"
    flow = Flow(hass, await house.entry.start_reauth_flow(hass))
    assert flow.step == "reauth_confirm"
    assert flow.suggested == {}
    assert (await flow.submit(token="wrong")).errors == {"base": "invalid_auth"}
    assert (await flow.submit(token=" new ")).reason == "node_reauth_successful"
    data = {CONF_KIND: KIND_NODE, CONF_URL: house.toy.url, CONF_TOKEN: "new"}
    assert house.entry.data == data
    assert house.entry_state == "loaded"


class TestReconfigure:
    async def test_a_moved_node_takes_its_new_address(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        house.change(**{CONF_URL: "http://elsewhere:8099"})
        former = dict(house.entry.data)
        flow = await Flow.move(hass, house.entry)
        assert flow.step == "reconfigure_node"
        assert flow.suggested == {CONF_URL: "http://elsewhere:8099"}

        assert (await flow.submit(url=house.toy.url)).reason == "node_reconfigure_successful"
        assert house.entry.data == {**former, CONF_URL: house.toy.url}
        assert house.entry_state == "loaded"

    async def test_a_changed_token_is_taken(self, hass: HomeAssistant, house: NodeView) -> None:
        house.toy.token = "new"
        flow = await (await Flow.move(hass, house.entry)).submit(url=house.toy.url, token="new")
        assert flow.reason == "node_reconfigure_successful"
        assert house.entry.data[CONF_TOKEN] == "new"

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_an_error_is_shown_and_changes_nothing(
        self, hass: HomeAssistant, house: NodeView, wrong: dict[str, Any], error: str
    ) -> None:
        before = dict(house.entry.data)
        house.toy.spoil(wrong)
        flow = await (await Flow.move(hass, house.entry)).submit(url=house.toy.url)
        assert (flow.step, flow.errors) == ("reconfigure_node", {"base": error})
        assert house.entry.data == before


async def test_another_node_is_refused(hass: HomeAssistant, house: NodeView) -> None:
    house.toy.answer["id"] = "another"
    moved = await (await Flow.move(hass, house.entry)).submit(url=house.toy.url)
    again = Flow(hass, await house.entry.start_reauth_flow(hass))
    await again.submit(token=TOKEN)
    assert moved.errors == again.errors == {"base": "other_node"}


async def test_a_node_and_a_meter_have_options_and_a_home_has_none(entry: MockConfigEntry) -> None:
    meter = MockConfigEntry(domain=DOMAIN, data={"device": "/dev/ttyTIC"})
    home = MockConfigEntry(domain=DOMAIN, data={CONF_KIND: KIND_BALANCE})
    assert ConsometersConfigFlow.async_supports_options_flow(entry)
    assert ConsometersConfigFlow.async_supports_options_flow(meter)
    assert not ConsometersConfigFlow.async_supports_options_flow(home)
