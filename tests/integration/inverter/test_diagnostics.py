"""What an inverter's diagnostics show, and what they hide."""

import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from modbus_connection import IllegalDataAddressError
from modbus_connection.mock import MockModbusConnection

from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics
from custom_components.consometers.inverter.link import Link
from demo.inverter import PROFILES, Image, Inverter

from .roof import NOON, ORIGIN, Roof


async def test_diagnostics_hold_a_playable_image_of_the_registers(
    hass: HomeAssistant, roof: Roof, tmp_path: Path
) -> None:
    await roof.start()
    written = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, roof.entry)))
    assert written["presence"] == "awake"
    assert written["reading"]["production"]["power_w"] == 2260
    assert [model for model, _, _ in written["device"]["models"]] == [1, 101, 120, 121, 160, 1, 201]
    file = tmp_path / "image.json"
    file.write_text(json.dumps(written["device"]["registers"]))
    image, real = Image.load(file), roof.inverter.inverters[0].image(roof.inverter.second)
    assert image.registers.keys() == real.registers.keys()
    assert image.registers[40_084] == real.registers[40_084]


async def test_diagnostics_hide_serial_numbers_and_names(hass: HomeAssistant, roof: Roof) -> None:
    await roof.start()
    written = await async_get_config_entry_diagnostics(hass, roof.entry)
    words = [w for block in written["device"]["registers"]["holding"].values() for w in block]
    text = b"".join(word.to_bytes(2) for word in words) + json.dumps(written).encode()
    for secret in (roof.inverter.inverters[0].serial, "South", roof.inverter.host):
        assert secret.encode() not in text


async def test_diagnostics_hold_the_last_registers_of_a_silent_inverter(
    hass: HomeAssistant, roof: Roof
) -> None:
    await roof.start()
    before = await async_get_config_entry_diagnostics(hass, roof.entry)
    await roof.inverter.unplug()
    # Home Assistant is restarted meanwhile.
    await hass.config_entries.async_reload(roof.entry.entry_id)
    await roof.polls()
    written = await async_get_config_entry_diagnostics(hass, roof.entry)
    assert written["device"] == {"error": "no_answer", **before["device"]}
    assert written["counters"]["energy"]["read_wh"] > 0


async def test_diagnostics_hold_the_address_of_a_refused_model() -> None:
    asked = MockModbusConnection().for_unit(1)
    image = Inverter(PROFILES["home"], origin=ORIGIN).image(int(NOON.timestamp()))
    asked.holding.update(image.registers)
    link = Link(asked)
    (strings,) = (model for model in (await link.find()).models if model.model_id == 160)
    asked.fail_read(strings.address, IllegalDataAddressError())
    registers = (await link.image())["holding"]
    assert registers[str(strings.address)] == [160, strings.length]
