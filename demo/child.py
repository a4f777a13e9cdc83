"""A Python program that ends with its parent: `python -m demo.child MODULE [ARGUMENT...]`.

Its standard input is for nothing else: when it ends, which it does when a parent is killed, the
program is told to end too.
"""

import os
import runpy
import signal
import sys
from threading import Thread


def end_with_the_parent() -> None:
    """Watch the standard input from now on."""
    Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    end_with_the_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
