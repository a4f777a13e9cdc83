"""What Home Assistant shows of a node and of its collectives."""

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.const import CONF_APP

from .house import House
from .toy import collective, permission, until


def facts(house: House) -> dict[str, dict[str, object]]:
    """Give all that a person can see of each entity."""
    shown: dict[str, dict[str, object]] = {}
    entities = er.async_entries_for_config_entry(er.async_get(house.hass), house.entry.entry_id)
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        state = house.hass.states.get(entity.entity_id)
        assert state is not None, entity.entity_id
        shown[entity.entity_id] = {
            "key": entity.unique_id.removeprefix(f"{house.entry.entry_id}_"),
            "category": entity.entity_category,
            "state": state.state,
            "attributes": dict(state.attributes),
        }
    return shown


PROBLEM = {"en": "It does not answer.", "fr": "Il ne répond pas."}


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_node_and_its_collectives_are_shown_in_the_language_of_the_home(
    hass: HomeAssistant, house: House, language: str, snapshot: SnapshotAssertion
) -> None:
    hass.config.language = language
    house.toy.answer.update(
        online=False,
        problem={"en": "No account.", "fr": "Pas de compte."},
        collectives=[
            collective("1"),
            collective("2", problem=PROBLEM, permissions=[permission(paused=True)]),
            collective("3", acknowledged_until=None, permissions=[permission(state="proposed")]),
        ],
    )
    await house.start()
    assert facts(house) == snapshot


async def test_without_a_problem_nothing_is_said(house: House) -> None:
    await house.start()
    connected = house.state_of("binary_sensor", "connected")
    assert connected is not None
    assert (connected.state, connected.attributes["reason"]) == ("on", None)


async def test_the_node_and_each_collective_are_devices(house: House) -> None:
    await house.start()
    node, of_collective = house.device(), house.device("1")
    assert node is not None
    assert of_collective is not None
    assert (node.name, node.manufacturer, node.sw_version) == (
        *("Consometers node", "Consometers"),
        "0.1.0",
    )
    assert of_collective.name == "Coopérative 1"
    assert of_collective.via_device_id == node.id
    for device in (node, of_collective):
        assert device.entry_type is dr.DeviceEntryType.SERVICE
        assert device.configuration_url == house.toy.url


async def test_the_page_of_a_node_that_is_an_app_opens_within_home_assistant(
    hass: HomeAssistant, house: House, entry: MockConfigEntry
) -> None:
    data = {**entry.data, CONF_APP: "a0d7b954_consometers"}
    hass.config_entries.async_update_entry(entry, data=data)
    await house.start()
    node = house.device()
    assert node is not None
    assert node.configuration_url == "homeassistant://app/a0d7b954_consometers"


class TestCollectives:
    async def test_a_new_one_appears_without_a_reload(self, house: House) -> None:
        await house.start()
        assert house.state("switch", "sharing", "2") is None
        house.toy.change(collectives=[collective("1"), collective("2")])
        await until(lambda: house.state("switch", "sharing", "2") == "on")
        assert house.state("sensor", "waiting", "2") == "2"
        assert house.state("binary_sensor", "problem", "2") == "off"
        assert house.device("2") is not None

    async def test_one_that_is_gone_leaves_nothing_and_may_come_back(self, house: House) -> None:
        house.toy.answer["collectives"] = [collective("1"), collective("2")]
        await house.start()
        house.toy.change(collectives=[collective("1")])
        await until(lambda: house.device("2") is None)
        await house.hass.async_block_till_done()
        assert house.entity_id("switch", "sharing", "2") is None
        assert house.state("switch", "sharing", "1") == "on"

        house.toy.change(collectives=[collective("1"), collective("2")])
        await until(lambda: house.state("switch", "sharing", "2") == "on")

    async def test_one_that_went_while_home_assistant_was_off_is_gone_as_well(
        self, hass: HomeAssistant, house: House
    ) -> None:
        house.toy.answer["collectives"] = [collective("1"), collective("2")]
        await house.start()
        await hass.config_entries.async_unload(house.entry.entry_id)
        house.toy.answer["collectives"] = [collective("1")]
        await house.set_up()
        assert house.device("2") is None
        assert house.entity_id("switch", "sharing", "2") is None

    async def test_one_that_changes_its_name_is_called_by_it(self, house: House) -> None:
        await house.start()
        house.toy.change(collectives=[collective("1", name="Énergie d'ici")])
        await until(lambda: (device := house.device("1")) and device.name == "Énergie d'ici")


class TestSharing:
    async def test_it_is_held_back_and_let_go_by_its_switch(self, house: House) -> None:
        await house.start()
        target = {"entity_id": house.entity_id("switch", "sharing", "1")}
        await house.hass.services.async_call("switch", "turn_off", target, blocking=True)
        assert "pause 1" in house.toy.asked
        assert house.state("switch", "sharing", "1") == "off"
        await house.hass.services.async_call("switch", "turn_on", target, blocking=True)
        assert "resume 1" in house.toy.asked
        assert house.state("switch", "sharing", "1") == "on"

    async def test_it_is_on_while_anything_goes(self, house: House) -> None:
        granted = [permission(paused=True), permission(id="other")]
        house.toy.answer["collectives"] = [collective("1", permissions=granted)]
        await house.start()
        assert house.state("switch", "sharing", "1") == "on"

    async def test_there_is_nothing_to_switch_when_nothing_was_granted(self, house: House) -> None:
        ended = [permission(state="withdrawn")]
        house.toy.answer["collectives"] = [collective("1", permissions=ended)]
        await house.start()
        assert house.state("switch", "sharing", "1") == STATE_UNAVAILABLE
        assert house.waiting == "2"
