"""Home Assistant, as a child that ends with its parent, where meters are pseudo-terminals.

Takes the arguments of `hass`. Ends when its standard input does, so that a parent that is killed
leaves no Home Assistant behind.
"""

import sys

from homeassistant.__main__ import main

from demo.child import end_with_the_parent
import demo.tty_parity  # noqa: F401  before anything opens a serial port

if __name__ == "__main__":
    end_with_the_parent()
    sys.exit(main())
