"""What diagnostics show for support, and that they hide who shares what with whom."""

import logging

import pytest
from syrupy.assertion import SnapshotAssertion

from testing.integration.node import NodeView
from testing.integration.toy_node import NODE_ID, TOKEN, collective, permission, plant, today
from testing.integration.views import text_of
from testing.waiting import until

ACCOUNT = "home@example.org"
WORDS = {"en": f"{ACCOUNT} was refused.", "fr": f"{ACCOUNT} a été refusé."}
OF_OTHERS = ("23450", "23.45", "301200", "301.2", "37")
PERSONAL = (NODE_ID, TOKEN, ACCOUNT, "collective-1@", "Coopérative", "Daily", "2f6c1f0a")
OF_SHARES = ("Kersabiec", "ecole", "720")


def trouble(house: NodeView) -> None:
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
                sums={**today(production=None), "problem": WORDS, "month": None},
                permissions=[
                    permission(valid_until="2026-01-02T00:00:00+00:00", newer_version="next"),
                    permission(id="2f6c1f0a-2", state="withdrawn", paused=True),
                ],
            )
        ],
    )


async def test_diagnostics_show_the_state_without_values_of_other_homes(
    house: NodeView, snapshot: SnapshotAssertion
) -> None:
    trouble(house)
    await house.start()
    shown = await house.diagnostics()
    assert shown == snapshot
    assert '"consumption"' in text_of(shown)
    assert [value for value in OF_OTHERS if value in text_of(shown)] == []


async def test_diagnostics_show_the_error(house: NodeView) -> None:
    await house.start()
    house.toy.status = 500
    await house.a_minute_passes()
    await until(lambda: house.connected == "unavailable")
    shown = await house.diagnostics()
    assert (shown["available"], shown["error"]) == (False, "cannot_connect")
    house.toy.status = 200
    await house.a_minute_passes()
    await until(lambda: house.connected != "unavailable")
    shown = await house.diagnostics()
    assert (shown["available"], shown["error"]) == (True, None)


async def test_diagnostics_and_logs_hold_no_personal_data(
    house: NodeView, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    trouble(house)
    await house.start()
    texts = [text_of(await house.diagnostics())]
    await house.toy.stop()
    await until(lambda: house.connected == "unavailable")
    texts.append(text_of(await house.diagnostics()))
    await house.toy.start()
    await until(lambda: house.connected == "off")
    house.toy.token = "another"
    house.toy.change()
    await until(lambda: house.connected == "unavailable")
    texts.append(text_of(await house.diagnostics()))
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
