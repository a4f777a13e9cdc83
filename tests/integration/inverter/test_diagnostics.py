"""What an inverter's diagnostics show, and what they hide."""

import json
from pathlib import Path

from demo.inverter import Image
from testing.integration.inverter import InverterView


async def test_diagnostics_hold_a_playable_image_of_the_registers(
    roof: InverterView, tmp_path: Path
) -> None:
    await roof.start()
    written = await roof.diagnostics()
    assert written["presence"] == "awake"
    assert written["reading"]["production"]["power_w"] == 2260
    assert [model for model, _, _ in written["device"]["models"]] == [1, 101, 120, 121, 160, 1, 201]
    file = tmp_path / "image.json"
    file.write_text(json.dumps(written["device"]["registers"]))
    image, real = Image.load(file), roof.inverter.inverters[0].image(roof.inverter.second)
    assert image.registers.keys() == real.registers.keys()
    assert image.registers[40_084] == real.registers[40_084]


async def test_diagnostics_hide_serial_numbers_and_names(roof: InverterView) -> None:
    await roof.start()
    written = await roof.diagnostics()
    words = [w for block in written["device"]["registers"]["holding"].values() for w in block]
    text = b"".join(word.to_bytes(2) for word in words) + json.dumps(written).encode()
    for secret in (roof.inverter.inverters[0].serial, "South", roof.inverter.host):
        assert secret.encode() not in text


async def test_diagnostics_hold_the_last_registers_of_a_silent_inverter(roof: InverterView) -> None:
    await roof.start()
    before = await roof.diagnostics()
    await roof.inverter.unplug()
    # Home Assistant is restarted meanwhile.
    await roof.reload()
    await roof.polls()
    written = await roof.diagnostics()
    assert written["device"] == {"error": "no_answer", **before["device"]}
    assert written["counters"]["energy"]["read_wh"] > 0
