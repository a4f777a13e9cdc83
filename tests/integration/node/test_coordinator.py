"""One node over time: set up, heard, lost, found again, changed, taken away."""

import asyncio
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.consometers.const import DOMAIN
from custom_components.consometers.node import coordinator
from testing.integration.node import NodeView
from testing.integration.toy_node import DOCUMENTED, collective
from testing.integration.views import logged
from testing.waiting import until


@pytest.fixture(autouse=True)
def short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(coordinator, "LONGEST_RETRY_S", 0.05)


class TestSetup:
    @pytest.mark.parametrize(
        ("wrong", "key"),
        [
            ({"status": 500}, "cannot_connect"),
            ({"status": 404}, "not_a_node"),
            ({"status": 429}, "too_many_attempts"),
            ({"answer": {**DOCUMENTED, "id": "another"}}, "other_node"),
        ],
    )
    async def test_setup_is_retried_while_the_node_fails(
        self, house: NodeView, wrong: dict[str, Any], key: str
    ) -> None:
        right = house.toy.spoil(wrong)
        await house.set_up()
        assert house.entry_state == "setup_retry"
        assert house.entry.error_reason_translation_key == key

        house.toy.spoil(right)
        await house.reload()
        assert house.entry_state == "loaded"

    async def test_a_wrong_token_starts_reauthentication(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        house.toy.token = "another"
        await house.set_up()
        assert house.entry_state == "setup_error"
        (flow,) = hass.config_entries.flow.async_progress()
        assert flow["context"]["source"] == SOURCE_REAUTH
        assert flow["step_id"] == "reauth_confirm"


class TestEvents:
    async def test_changes_show_as_soon_as_the_node_announces_them(self, house: NodeView) -> None:
        await house.start()
        assert house.waiting == "2"
        house.toy.change(collectives=[collective("1", waiting=5)])
        await until(lambda: house.waiting == "5")

    async def test_other_events_cause_no_request(self, house: NodeView) -> None:
        await house.start()
        asked = house.toy.times_asked()
        house.toy.say(b": still here\n\n")
        house.toy.say(b"event: unknown\ndata:\n\n")
        house.toy.change(collectives=[collective("1", waiting=5)])
        await until(lambda: house.waiting == "5")
        assert house.toy.times_asked() == asked + 1

    async def test_a_node_without_events_is_polled_every_minute(self, house: NodeView) -> None:
        house.toy.has_events = False
        await house.set_up()
        await until(lambda: house.toy.times_asked("events") >= 3)
        assert house.toy.times_asked() == 1
        house.toy.answer["collectives"] = [collective("1", waiting=5)]
        await house.a_minute_passes()
        await until(lambda: house.waiting == "5")


class TestOutage:
    async def test_an_unreachable_node_is_unavailable_until_it_returns(
        self, house: NodeView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await house.start()
        caplog.clear()
        await house.toy.stop()
        await until(lambda: house.connected == STATE_UNAVAILABLE)
        assert house.waiting == STATE_UNAVAILABLE
        assert house.state("1_sharing", "switch") == STATE_UNAVAILABLE

        house.toy.answer["collectives"] = [collective("1", waiting=0)]
        await house.toy.start()
        await until(lambda: house.connected == "on")
        assert house.waiting == "0"
        assert [("recovered" in line) for line in logged(caplog)] == [False, True]

    async def test_an_outage_is_logged_once(
        self, house: NodeView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await house.start()
        caplog.clear()
        house.toy.status = 500
        for _ in range(3):
            await house.a_minute_passes()
        await until(lambda: house.connected == STATE_UNAVAILABLE)
        assert len(logged(caplog)) == 1
        assert "Nothing answers at this address" in logged(caplog)[0]

    async def test_a_revoked_token_starts_one_reauthentication(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        await house.start()
        house.toy.token = "another"
        house.toy.change()
        await until(lambda: house.connected == STATE_UNAVAILABLE)
        asked = house.toy.times_asked()
        house.toy.change()
        await until(lambda: house.toy.times_asked() > asked)
        await hass.async_block_till_done()
        assert len(hass.config_entries.flow.async_progress()) == 1

    async def test_a_wrong_token_stops_all_requests(self, house: NodeView) -> None:
        await house.start()
        house.toy.token = "another"
        await house.toy.stop()
        await house.toy.start()
        await until(lambda: house.connected == STATE_UNAVAILABLE)
        await until(house.hass.config_entries.flow.async_progress)
        await asyncio.sleep(0.2)
        asked = len(house.toy.asked)
        await asyncio.sleep(0.3)
        assert len(house.toy.asked) == asked


class TestUnload:
    async def test_unloading_closes_the_event_stream_and_removes_issues(
        self, house: NodeView
    ) -> None:
        await house.start(collective("1", waiting_since="2026-01-01T00:00:00+00:00"))
        assert house.issues()
        await house.unload()
        assert house.entry_state == "not_loaded"
        assert house.issues() == {}
        assert house.connected == STATE_UNAVAILABLE
        house.toy.say(b": anybody there?\n\n")
        asked = list(house.toy.asked)
        await house.toy.stop()
        assert house.toy.asked == asked

    async def test_removal_leaves_nothing_behind(
        self, hass: HomeAssistant, house: NodeView
    ) -> None:
        await house.start(collective("1", waiting_since="2026-01-01T00:00:00+00:00"))
        await house.remove()
        registry = ir.async_get(hass)
        assert [issue for issue in registry.issues.values() if issue.domain == DOMAIN] == []
        assert house.device() is None
        assert house.entity_id("connected", "binary_sensor") is None
