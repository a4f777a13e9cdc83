"""A program that ends with its parent, however that ends.

`python -m demo.child MODULE [ARGUMENT...]` runs one of Python. Its standard input is for nothing
else: when it ends, which it does when a parent is killed, the program is told to end too, and is
killed if it does not. Of any other program, the kernel sees to it.
"""

import os
import runpy
import shutil
import signal
import sys
from threading import Thread
import time

_ENDS_WITHIN_S = 30


def killed_with_its_parent(command: list[str]) -> list[str]:
    """Return the command that Linux kills with the thread that starts it, else the command.

    The kernel sends nothing if the parent died before `setpriv` asked it to: hence the check.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command
    check = f'[ "$PPID" = {os.getpid()} ] && exec "$@"'
    return [setpriv, "--pdeathsig=KILL", "--", "sh", "-c", check, "sh", *command]


def end_with_the_parent() -> None:
    """Watch the standard input from now on."""
    Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDS_WITHIN_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    end_with_the_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
