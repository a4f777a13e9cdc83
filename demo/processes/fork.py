"""Stands for a fork of `demo.processes.warm`: python -I -S fork.py SOCKET ARGUMENT..."""

import json
import os
import select
import signal
import socket
import sys


def main(path: str, *arguments: str) -> None:
    """Request a fork, and end as it ends; killed, kill the fork."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as warm:
        warm.connect(path)
        folder = os.getcwd()  # noqa: PTH109  # it starts sooner without pathlib
        asked = json.dumps([arguments, dict(os.environ), folder])
        socket.send_fds(warm, [asked.encode()], [0, 1, 2])
        for file in (0, 1, 2):
            os.close(file)
        child = int(warm.recv(32))

        def pass_on(number: int, _frame: object) -> None:
            try:  # noqa: SIM105  # as above
                os.kill(child, number)
            except ProcessLookupError:
                pass

        # A signal right before the wait must end it, too.
        woken, wakes = socket.socketpair()
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, pass_on)
        while select.select([warm, woken], [], [])[0] == [woken]:
            woken.recv(64)
        status = int(warm.recv(32) or -signal.SIGKILL)
    if status < 0:
        if status != -signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main(*sys.argv[1:])
