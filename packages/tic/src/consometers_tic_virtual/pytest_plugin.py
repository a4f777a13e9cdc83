"""Fixtures of pytest: virtual meters that a test starts, each on a port of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from .faults import Faults
from .linky import Linky
from .threaded import ThreadedLinky
from .virtual import VirtualLinky
from .world import World

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""The meter's time at the start of a test."""


class StartLinky(Protocol):
    """Starts a meter, which ends with the test."""

    def __call__(
        self,
        linky: Linky | None = None,
        *,
        tcp: bool = False,
        speed: float = 10.0,
        start: datetime = NOON,
        faults: Faults | None = None,
    ) -> ThreadedLinky:
        """Put a meter on a pseudo-terminal, or a TCP port, at a multiple of a real one's pace.

        Without `linky`, one of a household in standard mode, put in ten days before `NOON`.
        """


@pytest.fixture
def start_linky(tmp_path: Path) -> Iterator[StartLinky]:
    """Return a function that starts virtual meters, any number of them."""
    # It alters a module of Python's, which other tests are spared.
    import consometers_tic_virtual.port.tty_parity  # noqa: F401

    numbers = count(1)
    with ExitStack() as running:

        def start(
            linky: Linky | None = None,
            *,
            tcp: bool = False,
            speed: float = 10.0,
            start: datetime = NOON,
            faults: Faults | None = None,
        ) -> ThreadedLinky:
            meter = VirtualLinky(
                linky or Linky(World(origin=datetime(2026, 6, 1, tzinfo=UTC))),
                link=None if tcp else tmp_path / f"linky{next(numbers)}",
                tcp=0 if tcp else None,
                speed=speed,
                start=start.timestamp(),
                faults=faults,
            )
            return running.enter_context(ThreadedLinky(meter))

        yield start


@pytest.fixture
def linky_on_pty(start_linky: StartLinky) -> ThreadedLinky:
    """Return a running meter; its `port` is the path of a pseudo-terminal."""
    return start_linky()


@pytest.fixture
def linky_on_tcp(start_linky: StartLinky) -> ThreadedLinky:
    """Return a running meter; its `port` is a URL, socket://127.0.0.1:PORT."""
    return start_linky(tcp=True)
