"""Home Assistant, as a child that ends with its parent, where meters are pseudo-terminals.

Takes the arguments of `hass`. Ends when its standard input does, so that a parent that is killed
leaves no Home Assistant behind.
"""

import os
import signal
import sys
from threading import Thread

from homeassistant.__main__ import main

import demo.tty_parity  # noqa: F401  before anything opens a serial port


def _end_with_the_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    Thread(target=_end_with_the_parent, daemon=True).start()
    sys.exit(main())
