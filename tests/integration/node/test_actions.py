"""Sharing is paused and resumed by actions."""

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.consometers.const import DOMAIN
from testing.integration.node import NodeView
from testing.integration.toy_node import collective


async def act(
    house: NodeView, action: str, *device_ids: str, context: Context | None = None
) -> None:
    await house.hass.services.async_call(
        DOMAIN, action, {"device_id": list(device_ids)}, blocking=True, context=context
    )


async def switch(house: NodeView, action: str, context: Context) -> None:
    target = {"entity_id": house.entity_id("1_sharing", "switch")}
    await house.hass.services.async_call("switch", action, target, blocking=True, context=context)


def device_id(house: NodeView, collective_id: str | None = None) -> str:
    device = house.device(collective_id)
    assert device is not None
    return device.id


async def test_actions_exist_before_any_node(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert hass.services.has_service(DOMAIN, "pause_sharing")
    assert hass.services.has_service(DOMAIN, "resume_sharing")


async def test_actions_pause_and_resume_the_chosen_collectives(
    house: NodeView,
) -> None:
    await house.start(*[collective(each) for each in ("1", "2", "3")])
    await act(house, "pause_sharing", device_id(house, "1"), device_id(house, "3"))
    shared = [house.state(f"{each}_sharing", "switch") for each in ("1", "2", "3")]
    assert shared == ["off", "on", "off"]
    # A single device needs no list.
    data = {"device_id": device_id(house, "3")}
    await house.hass.services.async_call(DOMAIN, "resume_sharing", data, blocking=True)
    shared = [house.state(f"{each}_sharing", "switch") for each in ("1", "2", "3")]
    assert shared == ["off", "on", "on"]


async def test_actions_need_an_administrator(
    house: NodeView, hass_read_only_user: MockUser
) -> None:
    await house.start()
    guest = Context(user_id=hass_read_only_user.id)
    # May change any entity, and still no administrator.
    hass_read_only_user.mock_policy({"entities": True})
    for refused in (
        act(house, "pause_sharing", device_id(house, "1"), context=guest),
        switch(house, "turn_off", guest),
        act(house, "pause_sharing", device_id(house, "1"), context=Context(user_id="gone")),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await refused
        assert caught.value.translation_key == "only_administrators"
        assert str(caught.value).startswith("Only an administrator")
    assert house.state("1_sharing", "switch") == "on"
    assert not [path for path in house.toy.asked if "pause" in path]


async def test_administrators_and_automations_pause_and_resume(
    house: NodeView, hass_admin_user: MockUser
) -> None:
    await house.start()
    administrator, automation = Context(user_id=hass_admin_user.id), Context()
    await switch(house, "turn_off", administrator)
    assert house.state("1_sharing", "switch") == "off"
    await switch(house, "turn_on", automation)
    assert house.state("1_sharing", "switch") == "on"
    await act(house, "pause_sharing", device_id(house, "1"), context=administrator)
    assert house.state("1_sharing", "switch") == "off"
    await act(house, "resume_sharing", device_id(house, "1"), context=automation)
    assert house.state("1_sharing", "switch") == "on"


async def test_other_devices_are_refused_before_anything_is_paused(
    hass: HomeAssistant, house: NodeView
) -> None:
    await house.start()
    meter = MockConfigEntry(domain=DOMAIN, data={"device": "/dev/ttyTIC"})
    meter.add_to_hass(hass)
    meter.mock_state(hass, house.entry.state)
    linky = dr.async_get(hass).async_get_or_create(
        config_entry_id=meter.entry_id, identifiers={(DOMAIN, meter.entry_id)}, name="Linky"
    )
    collective_device = device_id(house, "1")
    for other, name in ((device_id(house), "Consometers node"), (linky.id, "Linky")):
        with pytest.raises(ServiceValidationError) as caught:
            await act(house, "pause_sharing", collective_device, other)
        assert caught.value.translation_key == "not_a_collective"
        assert str(caught.value).startswith(f"{name} is not a collective")
    with pytest.raises(ServiceValidationError):
        await act(house, "pause_sharing", collective_device, "unknown")
    assert house.state("1_sharing", "switch") == "on"
    await house.unload()
    with pytest.raises(ServiceValidationError):
        await act(house, "pause_sharing", collective_device)


@pytest.mark.parametrize(
    ("status", "key"),
    [(404, "no_such_collective"), (500, "cannot_connect"), (429, "too_many_attempts")],
)
async def test_a_refusal_of_the_node_is_shown(house: NodeView, status: int, key: str) -> None:
    await house.start()
    house.toy.status = status
    with pytest.raises(HomeAssistantError) as caught:
        await act(house, "pause_sharing", device_id(house, "1"))
    assert caught.value.translation_key == key
