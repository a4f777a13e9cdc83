"""What all tests share."""

import signal

# First, while the test plugin's own package of that name is not on the path yet.
import custom_components  # noqa: F401

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has its jobs in the background ignore it, and the programs of the tests would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
