"""What diagnostics show for support, and that they hide whose meter it is."""

from collections.abc import Iterator
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from syrupy.assertion import SnapshotAssertion

from consometers_tic import Mode, encode
from custom_components.consometers.const import CONF_RAW_LABELS, DOMAIN
from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics
from testing.integration import frames
from testing.integration.flows import Flow
from testing.integration.frames import ADDRESS, DELIVERY_POINT, OTHER_ADDRESS
from testing.integration.views import MeterView, text_of

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


@pytest.mark.parametrize("kind", [frames.PRODUCER, frames.BASE], ids=["standard", "historique"])
async def test_diagnostics_show_the_frames_and_the_link(
    home: MeterView, freezer: FrozenDateTimeFactory, snapshot: SnapshotAssertion, kind: frames.Kind
) -> None:
    freezer.move_to("2026-11-25 12:00:00+00:00")
    await home.start()
    await home.hear(kind, 15)
    assert await home.diagnostics() == snapshot


async def test_identifiers_of_the_home_are_redacted(home: MeterView) -> None:
    await home.start(frames.PRODUCER)
    shown = await home.diagnostics()
    groups = shown["last_frame"]["groups"]
    assert groups["ADSC"]["raw"] == groups["PRM"]["raw"] == REDACTED
    assert shown["catalogue"]["ADSC"]["believed"] == REDACTED
    assert shown["catalogue"]["PRM"]["believed"] == REDACTED
    assert groups["PREF"]["raw"] == "09"
    await home.line.send_bytes(CORRUPT)
    refused, *_ = (await home.diagnostics())["last_frame"]["rejected"]
    assert refused == {"raw": "ADSC\t############\t!", "reason": "checksum"}


async def test_the_key_of_a_serial_url_is_not_shown(home: MeterView) -> None:
    await home.start(frames.PRODUCER)
    home.change(**{CONF_DEVICE: "esphome://linky.local:6053/?port_name=a&key=hush"})
    assert "hush" not in text_of(await home.diagnostics())


def _records(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """Yield what was logged, but for the events of the bus: Home Assistant may log each of them."""
    for record in caplog.records:
        if record.name == "homeassistant.core":
            continue
        yield record.getMessage()
        if record.exc_text:
            yield record.exc_text


async def test_personal_data_stay_in_the_registries(
    hass: HomeAssistant, home: MeterView, caplog: pytest.LogCaptureFixture
) -> None:
    """A meter is added, fails in every way, is replaced, and helped with."""
    caplog.set_level(logging.DEBUG)
    await home.remove()
    flow = await (await Flow.begin(hass, "meter")).listen()
    texts = [text_of({k: str(v) for k, v in flow.result.items()})]
    await home.line.send(frames.CONSUMER)
    await flow.hear()
    texts.append(text_of({k: str(v) for k, v in flow.result.items() if k != "context"}))
    entry = (await flow.submit()).entry
    texts.append(text_of({"title": entry.title, "data": dict(entry.data)}))
    hass.config_entries.async_update_entry(entry, options={CONF_RAW_LABELS: True})
    await hass.config_entries.async_reload(entry.entry_id)

    await home.line.send(frames.CONSUMER, 5)
    await home.line.send_bytes(CORRUPT)
    await home.line.send(frames.PRODUCER.of(NEW_ADDRESS), 6)
    await home.line.send(frames.BASE.of(NEW_ADDRESS), 20)
    await home.line.clock.forward(310)
    await hass.async_block_till_done()

    texts.append(text_of(await async_get_config_entry_diagnostics(hass, entry)))
    issues = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    assert {issue.translation_key for issue in issues} == {
        "meter_replaced",
        "mode_changed",
        "no_data",
    }
    texts += [text_of([i.issue_id, i.translation_placeholders, i.data]) for i in issues]
    texts += [text_of(state.as_dict()) for state in hass.states.async_all()]
    texts += [
        text_of([e.entity_id, e.unique_id, e.original_name])
        for e in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    ]
    texts += _records(caplog)
    assert len(texts) > 100
    assert [line for line in texts if any(secret in line for secret in PERSONAL)] == []

    assert entry.unique_id == NEW_ADDRESS
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.serial_number == NEW_ADDRESS
