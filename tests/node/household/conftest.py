"""A Home Assistant of a few lines, and a connection to it."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import HomeAssistant
from testing.home_assistant.toy import ToyHomeAssistant, connection, serving


@pytest.fixture
def new_toy() -> ToyHomeAssistant:
    return ToyHomeAssistant()


@pytest.fixture
async def toy(new_toy: ToyHomeAssistant, socket_enabled: None) -> AsyncIterator[ToyHomeAssistant]:
    async with serving(new_toy):
        yield new_toy


@pytest.fixture
async def home(toy: ToyHomeAssistant) -> AsyncIterator[HomeAssistant]:
    async with connection(toy) as home:
        yield home


@pytest.fixture
def recorder(home: HomeAssistant) -> Recorder:
    return Recorder(home)
