"""A Home Assistant of a few lines, and a connection to it."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import HomeAssistant

from .toy import Toy, connection, serving


@pytest.fixture
def new_toy() -> Toy:
    return Toy()


@pytest.fixture
async def toy(new_toy: Toy, socket_enabled: None) -> AsyncIterator[Toy]:
    async with serving(new_toy):
        yield new_toy


@pytest.fixture
async def home(toy: Toy) -> AsyncIterator[HomeAssistant]:
    async with connection(toy) as home:
        yield home


@pytest.fixture
def recorder(home: HomeAssistant) -> Recorder:
    return Recorder(home)
