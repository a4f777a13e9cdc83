"""A house whose meter was read by others before."""

import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
import pytest

from testing.integration.former_meter import NOON, House
from testing.integration.ports import MeterLine


@pytest.fixture
def house(
    freezer: FrozenDateTimeFactory,
    recorder_mock: Recorder,
    hass: HomeAssistant,
    line: MeterLine,
    enable_custom_integrations: None,
) -> House:
    freezer.move_to(NOON)
    # Every row that is written would be logged.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    return House(hass, freezer, line)
