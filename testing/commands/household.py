"""A Home Assistant for a home that is run on the command line."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from testing.home_assistant.rows import rows
from testing.home_assistant.toy import ToyHomeAssistant, serving

DRAWN, FED_IN, POWER = "sensor.drawn", "sensor.fed_in", "sensor.power"


def hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
async def toy(socket_enabled: None) -> AsyncIterator[ToyHomeAssistant]:
    """A Home Assistant with two registers on its dashboard, and a power beside them."""
    toy = ToyHomeAssistant()
    start = hour() - timedelta(days=40)
    for name in (DRAWN, FED_IN):
        toy.hours[name] = rows(start, 24 * 40)
    energy = {"unit_class": "energy", "has_sum": True, "source": "recorder"}
    power = {"unit_class": "power", "mean_type": 1, "source": "recorder"}
    toy.answers = {
        "get_config": {"time_zone": "Europe/Paris"},
        "get_states": [{"last_changed": start.isoformat()}],
        "recorder/list_statistic_ids": [
            {"statistic_id": DRAWN, **energy},
            {"statistic_id": FED_IN, **energy},
            {"statistic_id": POWER, **power},
        ],
        "energy/get_prefs": {
            "energy_sources": [
                {"type": "grid", "stat_energy_from": DRAWN, "stat_energy_to": FED_IN}
            ]
        },
    }
    async with serving(toy):
        yield toy
