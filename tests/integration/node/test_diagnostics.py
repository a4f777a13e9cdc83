"""What diagnostics show for support, and that they hide who shares what with whom."""

import json
import logging

from homeassistant.core import HomeAssistant
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics

from ..home import text_of
from .house import House
from .toy import NODE_ID, TOKEN, collective, part, permission, plant, until

ACCOUNT = "home@example.org"
WORDS = {"en": f"{ACCOUNT} was refused.", "fr": f"{ACCOUNT} a été refusé."}
OF_OTHERS = ("23450", "23.45", "301200", "301.2", "37")
PERSONAL = (NODE_ID, TOKEN, ACCOUNT, "collective-1@", "Coopérative", "Daily", "2f6c1f0a")
OF_SHARES = ("Kersabiec", "ecole", "720")


async def diagnostics(house: House) -> str:
    return text_of(await async_get_config_entry_diagnostics(house.hass, house.entry))


def trouble(house: House) -> None:
    """Fill the node with something of everything."""
    house.toy.answer.update(
        account=ACCOUNT,
        online=False,
        problem=WORDS,
        home_assistant={"connected": False, "problem": WORDS},
        collectives=[
            collective(
                problem=WORDS,
                waiting_since="2026-01-01T00:00:00+00:00",
                plants=[plant(problem=WORDS)],
                sums={**part("today", production=None), "problem": WORDS, "month": None},
                permissions=[
                    permission(valid_until="2026-01-02T00:00:00+00:00", newer_version="next"),
                    permission(id="2f6c1f0a-2", state="withdrawn", paused=True),
                ],
            )
        ],
    )


async def test_diagnostics_show_the_state(house: House, snapshot: SnapshotAssertion) -> None:
    trouble(house)
    await house.start()
    assert json.loads(await diagnostics(house)) == snapshot


async def test_diagnostics_hide_values_of_other_homes(house: House) -> None:
    trouble(house)
    await house.start()
    shown = await diagnostics(house)
    assert '"consumption"' in shown
    assert [value for value in OF_OTHERS if value in shown] == []


async def test_diagnostics_show_the_error(house: House) -> None:
    await house.start()
    house.toy.status = 500
    await house.a_minute_passes()
    await until(lambda: house.connected == "unavailable")
    shown = json.loads(await diagnostics(house))
    assert (shown["available"], shown["error"]) == (False, "cannot_connect")
    house.toy.status = 200
    await house.a_minute_passes()
    await until(lambda: house.connected != "unavailable")
    shown = json.loads(await diagnostics(house))
    assert (shown["available"], shown["error"]) == (True, None)


async def test_diagnostics_and_logs_hold_no_personal_data(
    hass: HomeAssistant, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trouble(house)
    await house.start()
    texts = [await diagnostics(house)]
    await house.toy.stop()
    await until(lambda: house.connected == "unavailable")
    texts.append(await diagnostics(house))
    await house.toy.start()
    await until(lambda: house.connected == "off")
    house.toy.token = "another"
    house.toy.change()
    await until(lambda: house.connected == "unavailable")
    texts.append(await diagnostics(house))
    assert [line for line in texts if "127.0.0" in line] == []
    texts += [
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert len(texts) > 5
    assert [
        line for line in texts if any(secret in line for secret in (*PERSONAL, *OF_SHARES))
    ] == []
