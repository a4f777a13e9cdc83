"""What the libraries' own tests need where Home Assistant's test plugin is loaded beside them."""

import pytest


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Allow them: a meter may be on a TCP port."""


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave loops as programs have them, as `tests/conftest.py` does."""
