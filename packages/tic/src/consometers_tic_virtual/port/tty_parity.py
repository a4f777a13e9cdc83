"""Lets 7E1 work on a pseudo-terminal: import it in tests and the demo only.

A pty carries bytes, not bits: the kernel ignores CS7 and PARENB on one, and the C library answers
EINVAL when nothing else that was asked for changed. This drops them and keeps the rest.
"""

import errno
import sys
import termios
from typing import Any

_tcsetattr = termios.tcsetattr
_CFLAG = 2


def _tcsetattr_without_parity(fd: Any, when: int, attributes: Any) -> None:
    try:
        _tcsetattr(fd, when, attributes)
    except termios.error as error:
        if error.args[0] != errno.EINVAL:
            raise
        attributes = list(attributes)
        attributes[_CFLAG] &= ~(termios.CSIZE | termios.PARENB | termios.PARODD)
        attributes[_CFLAG] |= termios.CS8
        _tcsetattr(fd, when, attributes)


termios.tcsetattr = _tcsetattr_without_parity

# What is part of serialx already holds the former one, wrapped.
if "serialx.platforms._termios_api" in sys.modules:
    from serialx.platforms._termios_api import wrap_termios_error

    for _name, _module in list(sys.modules.items()):
        if _name.startswith("serialx.") and hasattr(_module, "tcsetattr"):
            vars(_module)["tcsetattr"] = wrap_termios_error(_tcsetattr_without_parity)
