"""What all tests share."""

from collections.abc import Iterator
import gc
import logging
from pathlib import Path
import signal
import threading

from hypothesis import HealthCheck, settings
import pytest

# First, while the test plugin's own package of that name is not on the path yet.
import custom_components
from testing.run import FULL, ON_BOTH_DATABASES

# A busy machine finds no defect: what an example takes is for script/bench.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has its jobs in the background ignore it, and the programs of the tests would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests leave much behind, of which little is garbage: to look for it as often as programs do takes
# a tenth of their time.
gc.set_threshold(50_000, 20, 20)

# pytest shows what was logged. Home Assistant's test plugin writes it once more, and what a thread
# logs between two tests into the terminal.
for handler in [each for each in logging.root.handlers if type(each) is logging.StreamHandler]:
    logging.root.removeHandler(handler)

SLOW_FIXTURES = frozenset(
    {
        "configure_event_loop",
        "disable_http_server",
        "fail_on_log_exception",
        "skip_stop_scripts",
        "wait_for_stop_scripts_after_shutdown",
    }
)
"""Fixtures of its test plugin that take longer than most tests, which have none."""
_THREAD_ENDS_WITHIN_S = 120


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave loops as programs have them, where Home Assistant's test plugin has them be debugged.

    To keep where each call came from takes as long as all that is tested.
    """


@pytest.fixture(autouse=True)
def closed_databases(verify_cleanup: None) -> Iterator[None]:
    """Wait for the thread of a connection that was closed: it ends a moment after it has said so.

    Home Assistant's test plugin looks for threads that a test leaves, and does not wait.
    """
    before = frozenset(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if "_connection_worker_thread" in thread.name:
            thread.join(_THREAD_ENDS_WITHIN_S)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others to SQLite, and what takes long to the full run."""
    for item in items:
        if isinstance(item, pytest.Function) and "hass" not in item.fixturenames:
            item.fixturenames[:] = [name for name in item.fixturenames if name not in SLOW_FIXTURES]
    if FULL:
        return
    both = [Path(__file__).parent / place for place in ON_BOTH_DATABASES]
    run: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        is_left = item.get_closest_marker("full") or (
            _is_on_postgresql(item) and not any(item.path.is_relative_to(place) for place in both)
        )
        (left if is_left else run).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = run


def _is_on_postgresql(item: pytest.Item) -> bool:
    """Whether the fixture `place` is to make a database of PostgreSQL's."""
    return isinstance(item, pytest.Function) and (
        hasattr(item, "callspec") and item.callspec.params.get("place") == "postgresql"
    )
