"""What is handed to whoever helps, and that nothing says whose meter it is."""

from collections.abc import Iterator
import json
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.const import CONF_RAW_LABELS, DOMAIN
from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics
from custom_components.consometers.tic import Mode, encode

from . import frames
from .frames import ADDRESS, DELIVERY_POINT, OTHER_ADDRESS
from .home import Home
from .ports import DEVICE

NEW_ADDRESS = "041961789012"
PERSONAL = (ADDRESS, OTHER_ADDRESS, NEW_ADDRESS, DELIVERY_POINT)

CORRUPT = b"".join(
    (
        b"\x02",
        f"\nADSC\t{ADDRESS}\t!\r\nPRM\t{DELIVERY_POINT}\t!\r".encode(),
        encode("PREF", "09", Mode.STANDARD),
        b"\x03",
    )
)


def text_of(value: object) -> str:
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)


async def diagnostics(home: Home) -> dict[str, Any]:
    found = await async_get_config_entry_diagnostics(home.hass, home.entry)
    # It must be what a file can hold.
    return dict(json.loads(text_of(found)))


@pytest.mark.parametrize("kind", [frames.PRODUCER, frames.BASE], ids=["standard", "historique"])
async def test_diagnostics_tell_what_is_sent_and_how_the_link_goes(
    home: Home, freezer: FrozenDateTimeFactory, snapshot: SnapshotAssertion, kind: frames.Kind
) -> None:
    freezer.move_to("2026-11-25 12:00:00+00:00")
    await home.start()
    await home.hear(kind, 15)
    assert await diagnostics(home) == snapshot


async def test_what_identifies_the_home_is_redacted(home: Home) -> None:
    await home.start(frames.PRODUCER)
    found = await diagnostics(home)
    groups = found["last_frame"]["groups"]
    assert groups["ADSC"]["raw"] == groups["PRM"]["raw"] == REDACTED
    assert found["catalogue"]["ADSC"]["believed"] == REDACTED
    assert found["catalogue"]["PRM"]["believed"] == REDACTED
    assert groups["PREF"]["raw"] == "09"


async def test_a_refused_group_shows_no_digit_of_the_address(home: Home) -> None:
    await home.start(frames.PRODUCER)
    await home.line.send_bytes(CORRUPT)
    found = await diagnostics(home)
    assert found["last_frame"]["rejected"][0] == {
        "raw": "ADSC\t############\t!",
        "reason": "checksum",
    }


async def test_the_key_of_a_serial_url_is_not_shown(hass: HomeAssistant, home: Home) -> None:
    await home.start(frames.PRODUCER)
    hass.config_entries.async_update_entry(
        home.entry,
        data={**home.entry.data, CONF_DEVICE: "esphome://linky.local:6053/?port_name=a&key=hush"},
    )
    assert "hush" not in text_of(await diagnostics(home))


def _records(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    for record in caplog.records:
        yield record.getMessage()
        if record.exc_text:
            yield record.exc_text


async def test_nothing_but_the_registries_knows_whose_meter_it_is(
    hass: HomeAssistant, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """A meter is added, fails in every way, is replaced, and helped with."""
    caplog.set_level(logging.DEBUG)
    await hass.config_entries.async_remove(home.entry.entry_id)
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "meter"}
    )
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {CONF_DEVICE: DEVICE})
    said = [text_of({k: str(v) for k, v in flow.items()})]
    await home.line.send(frames.CONSUMER)
    await hass.async_block_till_done()
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"])
    said.append(text_of({k: str(v) for k, v in flow.items() if k != "context"}))
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    entry = flow["result"]
    said.append(text_of({"title": flow["title"], "data": flow["data"]}))
    await hass.async_block_till_done()
    hass.config_entries.async_update_entry(entry, options={CONF_RAW_LABELS: True})
    await hass.config_entries.async_reload(entry.entry_id)

    await home.line.send(frames.CONSUMER, 5)
    await home.line.send_bytes(
        f"\x02\nADSC\t{ADDRESS}\t!\r\n\nPRM\t{DELIVERY_POINT}\t!\r\x03".encode()
    )
    await home.line.send(frames.PRODUCER.of(NEW_ADDRESS), 6)
    await home.line.send(frames.BASE.of(NEW_ADDRESS), 20)
    await home.line.clock.forward(310)
    await hass.async_block_till_done()

    said.append(text_of(await async_get_config_entry_diagnostics(hass, entry)))
    issues = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    assert {issue.translation_key for issue in issues} == {
        "meter_replaced",
        "mode_changed",
        "no_data",
    }
    said += [text_of([i.issue_id, i.translation_placeholders, i.data]) for i in issues]
    said += [text_of(state.as_dict()) for state in hass.states.async_all()]
    said += [
        text_of([e.entity_id, e.unique_id, e.original_name])
        for e in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    ]
    said += _records(caplog)
    assert len(said) > 100
    assert [line for line in said if any(secret in line for secret in PERSONAL)] == []

    assert entry.unique_id == NEW_ADDRESS
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.serial_number == NEW_ADDRESS
