"""A network that is this program's alone: it has a loopback, and nothing leads out of it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import socket
import struct
import subprocess

from testing.run import lack

_NEEDED = ("caddy", "ip", "nsenter", "postgres", "prosody", "setpriv", "socat", "unshare", "wget")
_SET_FLAGS = 0x8914
_UP_AND_RUNNING = 0x41


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and what it starts, to a network of its own.

    A thread stays in the network in which it began: those of the running loop are others meanwhile.
    """
    _check()
    loop = asyncio.get_running_loop()
    with Path("/proc/thread-self/ns/net").open() as before, ThreadPoolExecutor() as inside:
        os.unshare(os.CLONE_NEWNET)
        loop.set_default_executor(inside)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))
            yield
        finally:
            os.setns(before.fileno(), os.CLONE_NEWNET)
            loop.set_default_executor(ThreadPoolExecutor())


def _check() -> None:
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        lack(f"{', '.join(missing)}, which script/setup installs")
    namespaces = ("unshare", "--mount", "--pid", "--net", "--fork")
    mounts = (*namespaces, "mount", "-t", "tmpfs", "none", "/mnt")
    if subprocess.run(mounts, capture_output=True, check=False).returncode:
        lack("the rights of root, in a container of its own with --privileged")
