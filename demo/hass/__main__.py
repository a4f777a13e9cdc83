"""Home Assistant where meters are pseudo-terminals, with the arguments of `hass`."""

import sys

from homeassistant.__main__ import main

import consometers_tic_virtual.port.tty_parity  # noqa: F401  before anything opens a serial port

if __name__ == "__main__":
    sys.exit(main())
