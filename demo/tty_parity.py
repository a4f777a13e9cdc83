"""Lets 7E1 work on a pseudo-terminal: import before the serial library, in tests and the demo only.

A pty carries bytes, not bits: glibc answers EINVAL to CS7 or PARENB on one. This drops them and
keeps the rest, speed included.
"""

import errno
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
