"""What all tests share."""

import signal

from hypothesis import HealthCheck, settings
import pytest

# First, while the test plugin's own package of that name is not on the path yet.
import custom_components  # noqa: F401

# A busy machine finds no defect: what an example takes is for script/bench.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has its jobs in the background ignore it, and the programs of the tests would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave loops as programs have them, where Home Assistant's test plugin has them be debugged.

    To keep where each call came from takes as long as all that is tested.
    """
