"""Adding a node, finding it again, telling it its token."""

from typing import Any

from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.config_flow import ConsometersConfigFlow
from custom_components.consometers.const import CONF_APP, CONF_KIND, DOMAIN, KIND_NODE

from .house import House
from .toy import NODE_ID, TOKEN, ToyNode, documented

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

SLUG = "a0d7b954_consometers"


def discovery(toy: ToyNode, **changes: Any) -> HassioServiceInfo:
    config = {"host": "127.0.0.1", "port": toy.port, "token": TOKEN, **changes}
    return HassioServiceInfo(config=config, name="Consometers", slug=SLUG, uuid="1234")


async def discover(hass: HomeAssistant, toy: ToyNode, **changes: Any) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_HASSIO}, data=discovery(toy, **changes)
    )


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    flows = hass.config_entries.flow
    flow = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert flow["type"] is FlowResultType.MENU
    assert "node" in flow["menu_options"]
    return await flows.async_configure(flow["flow_id"], {"next_step_id": "node"})


async def submit(hass: HomeAssistant, flow: ConfigFlowResult, **typed: str) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], typed)
    await hass.async_block_till_done()
    return result


def suggested(flow: ConfigFlowResult) -> dict[str, str]:
    assert flow["data_schema"] is not None
    return {
        str(field): field.description["suggested_value"]
        for field in flow["data_schema"].schema
        if field.description
    }


ERRORS = [
    pytest.param({"token": "another"}, "invalid_auth", id="wrong token"),
    pytest.param({"status": 429}, "too_many_attempts", id="too often"),
    pytest.param({"status": 502}, "cannot_connect", id="no answer"),
    pytest.param({"status": 404}, "not_a_node", id="not there"),
    pytest.param({"body": "<html>"}, "not_a_node", id="something else"),
    pytest.param({"answer": {"api": 2}}, "api_too_new", id="too new"),
]


class TestByHand:
    async def test_a_node_is_asked_and_added(self, hass: HomeAssistant, toy: ToyNode) -> None:
        flow = await start(hass)
        assert flow["type"] is FlowResultType.FORM
        assert (flow["step_id"], flow["errors"]) == ("node", {})
        assert flow["description_placeholders"] == {"example": "http://consometers.local:8099"}
        assert toy.asked == []

        result = await submit(hass, flow, url=f" {toy.url}/ ", token=f"{TOKEN} ")
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["title"] == "Consometers"
        assert result["data"] == {CONF_KIND: KIND_NODE, CONF_URL: toy.url, CONF_TOKEN: TOKEN}
        assert result["result"].unique_id == NODE_ID
        assert result["result"].state is ConfigEntryState.LOADED

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_what_is_wrong_is_said_and_may_be_tried_again(
        self, hass: HomeAssistant, toy: ToyNode, wrong: dict[str, Any], error: str
    ) -> None:
        right = {name: getattr(toy, name) for name in wrong}
        for name, value in wrong.items():
            setattr(toy, name, value)
        flow = await submit(hass, await start(hass), url=toy.url, token=TOKEN)
        assert (flow["step_id"], flow["errors"]) == ("node", {"base": error})
        assert suggested(flow) == {CONF_URL: toy.url, CONF_TOKEN: TOKEN}

        for name, value in right.items():
            setattr(toy, name, value)
        result = await submit(hass, flow, url=toy.url, token=TOKEN)
        assert result["type"] is FlowResultType.CREATE_ENTRY

    @pytest.mark.parametrize(
        ("url", "error"),
        [("ftp://node.local", "invalid_url"), ("http://127.0.0.1:9", "cannot_connect")],
    )
    async def test_an_address_that_leads_nowhere_is_said(
        self, hass: HomeAssistant, toy: ToyNode, url: str, error: str
    ) -> None:
        flow = await submit(hass, await start(hass), url=url, token=TOKEN)
        assert flow["errors"] == {"base": error}

    async def test_a_node_that_is_there_already_is_reached_as_was_typed(
        self, hass: HomeAssistant, toy: ToyNode, entry: MockConfigEntry
    ) -> None:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_URL: "http://elsewhere:8099"}
        )
        result = await submit(hass, await start(hass), url=toy.url, token=TOKEN)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "node_already_configured"
        assert entry.data[CONF_URL] == toy.url

    async def test_a_node_that_is_proposed_meanwhile_is_added_once(
        self, hass: HomeAssistant, toy: ToyNode
    ) -> None:
        await discover(hass, toy)
        result = await submit(hass, await start(hass), url=toy.url, token=TOKEN)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert hass.config_entries.flow.async_progress() == []


class TestDiscovery:
    async def test_a_node_that_is_an_app_is_added_when_the_person_agrees(
        self, hass: HomeAssistant, toy: ToyNode
    ) -> None:
        flow = await discover(hass, toy)
        assert flow["type"] is FlowResultType.FORM
        assert flow["step_id"] == "hassio_confirm"
        (progress,) = hass.config_entries.flow.async_progress()
        assert progress["context"]["title_placeholders"] == {"name": "Consometers"}
        assert hass.config_entries.async_entries(DOMAIN) == []

        result = await submit(hass, flow)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["title"] == "Consometers"
        assert result["data"] == {
            CONF_KIND: KIND_NODE,
            CONF_URL: toy.url,
            CONF_TOKEN: TOKEN,
            CONF_APP: SLUG,
        }
        assert result["result"].unique_id == NODE_ID

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_what_is_no_node_that_can_be_asked_is_not_proposed(
        self, hass: HomeAssistant, toy: ToyNode, wrong: dict[str, Any], error: str
    ) -> None:
        for name, value in wrong.items():
            setattr(toy, name, value)
        result = await discover(hass, toy)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == error

    async def test_a_node_that_is_there_already_is_reached_as_was_told(
        self, hass: HomeAssistant, house: House, entry: MockConfigEntry
    ) -> None:
        data = {CONF_KIND: KIND_NODE, CONF_URL: "http://elsewhere:8099", CONF_TOKEN: "former"}
        hass.config_entries.async_update_entry(entry, data=data)
        result = await discover(hass, house.toy)
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "node_already_configured"
        assert entry.data == {
            CONF_KIND: KIND_NODE,
            CONF_URL: house.toy.url,
            CONF_TOKEN: TOKEN,
            CONF_APP: SLUG,
        }

    async def test_a_node_whose_token_changed_is_found_again_without_a_question(
        self, hass: HomeAssistant, house: House
    ) -> None:
        hass.config_entries.async_update_entry(
            house.entry, data={**house.entry.data, CONF_TOKEN: "former"}
        )
        await house.set_up()
        assert house.entry_state == "setup_error"
        assert len(hass.config_entries.flow.async_progress()) == 1
        await discover(hass, house.toy)
        await hass.async_block_till_done()
        assert house.entry_state == "loaded"
        assert hass.config_entries.flow.async_progress() == []

    async def test_it_is_proposed_once(self, hass: HomeAssistant, toy: ToyNode) -> None:
        await discover(hass, toy)
        result = await discover(hass, toy)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_in_progress"


class TestReauth:
    async def test_the_token_that_the_node_knows_is_taken(
        self, hass: HomeAssistant, house: House
    ) -> None:
        house.toy.token = "new"
        flow = await house.entry.start_reauth_flow(hass)
        assert flow["step_id"] == "reauth_confirm"
        assert suggested(flow) == {}
        flow = await submit(hass, flow, token="wrong")
        assert flow["errors"] == {"base": "invalid_auth"}
        result = await submit(hass, flow, token=" new ")
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "node_reauth_successful"
        assert house.entry.data == {
            CONF_KIND: KIND_NODE,
            CONF_URL: house.toy.url,
            CONF_TOKEN: "new",
        }
        assert house.entry_state == "loaded"

    async def test_another_node_is_not_taken_for_it(
        self, hass: HomeAssistant, house: House
    ) -> None:
        house.toy.answer = {**documented(), "id": "another"}
        flow = await submit(hass, await house.entry.start_reauth_flow(hass), token=TOKEN)
        assert flow["errors"] == {"base": "other_node"}


class TestReconfigure:
    async def test_a_node_that_moved_is_asked_where_it_is_now(
        self, hass: HomeAssistant, house: House
    ) -> None:
        former = {**house.entry.data, CONF_URL: "http://elsewhere:8099"}
        hass.config_entries.async_update_entry(house.entry, data=former)
        flow = await house.entry.start_reconfigure_flow(hass)
        assert flow["step_id"] == "reconfigure_node"
        assert suggested(flow) == {CONF_URL: "http://elsewhere:8099"}

        result = await submit(hass, flow, url=house.toy.url)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "node_reconfigure_successful"
        assert house.entry.data == {**former, CONF_URL: house.toy.url}
        assert house.entry_state == "loaded"

    async def test_a_token_that_changed_with_it_is_taken(
        self, hass: HomeAssistant, house: House
    ) -> None:
        house.toy.token = "new"
        flow = await house.entry.start_reconfigure_flow(hass)
        result = await submit(hass, flow, url=house.toy.url, token="new")
        assert result["reason"] == "node_reconfigure_successful"
        assert house.entry.data[CONF_TOKEN] == "new"

    @pytest.mark.parametrize(("wrong", "error"), ERRORS)
    async def test_what_is_wrong_is_said_and_changes_nothing(
        self, hass: HomeAssistant, house: House, wrong: dict[str, Any], error: str
    ) -> None:
        before = dict(house.entry.data)
        for name, value in wrong.items():
            setattr(house.toy, name, value)
        flow = await house.entry.start_reconfigure_flow(hass)
        flow = await submit(hass, flow, url=house.toy.url)
        assert (flow["step_id"], flow["errors"]) == ("reconfigure_node", {"base": error})
        assert house.entry.data == before

    async def test_another_node_is_not_taken_for_it(
        self, hass: HomeAssistant, house: House
    ) -> None:
        house.toy.answer["id"] = "another"
        flow = await house.entry.start_reconfigure_flow(hass)
        flow = await submit(hass, flow, url=house.toy.url)
        assert flow["errors"] == {"base": "other_node"}


async def test_a_node_has_no_options_and_a_meter_has(entry: MockConfigEntry) -> None:
    meter = MockConfigEntry(domain=DOMAIN, data={"device": "/dev/ttyTIC"})
    assert not ConsometersConfigFlow.async_supports_options_flow(entry)
    assert ConsometersConfigFlow.async_supports_options_flow(meter)
