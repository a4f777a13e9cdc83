"""The blueprint that starts an appliance when a surplus is likely, as Home Assistant runs it."""

from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.setup import async_setup_component

BLUEPRINT = Path(__file__).parents[3] / "blueprints/automation/consometers/surplus.yaml"
SURPLUS, READY, MACHINE = "binary_sensor.surplus", "input_boolean.ready", "switch.machine"


async def test_a_loaded_machine_starts_once_a_surplus_is_likely(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    hass.config.config_dir = str(tmp_path)
    folder = tmp_path / "blueprints/automation/consometers"
    folder.mkdir(parents=True)
    shutil.copy(BLUEPRINT, folder)
    started: list[object] = []

    @callback
    def start(call: ServiceCall) -> None:
        started.append(call.data["entity_id"])

    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"ready": {}}})
    hass.states.async_set(SURPLUS, "off")
    used = {
        "path": "consometers/surplus.yaml",
        "input": {"surplus": SURPLUS, "appliance": {"entity_id": MACHINE}, "ready": READY},
    }
    automation = {"automation": {"use_blueprint": used}}
    assert await async_setup_component(hass, "automation", automation)
    assert await async_setup_component(hass, "homeassistant", {})
    hass.services.async_register("homeassistant", "turn_on", start)
    hass.states.async_set(SURPLUS, "on")
    await hass.async_block_till_done()
    assert not started
    hass.states.async_set(SURPLUS, "off")
    await hass.services.async_call("input_boolean", "turn_on", {"entity_id": READY}, blocking=True)
    await hass.async_block_till_done()
    assert not started
    hass.states.async_set(SURPLUS, "on")
    await hass.async_block_till_done()
    assert started == [[MACHINE]]
    ready = hass.states.get(READY)
    assert ready is not None
    assert ready.state == "off"
    # Its time trigger would wait beyond the test.
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.automation_0"}, blocking=True
    )
