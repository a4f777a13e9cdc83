"""A network that is this program's alone: it has a loopback, and nothing leads out of it."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import socket
import struct
import subprocess

from tests.missing import lack

_NEEDED = ("caddy", "ip", "nsenter", "postgres", "prosody", "setpriv", "socat", "unshare", "wget")
_SET_FLAGS = 0x8914
_UP_AND_RUNNING = 0x41


@contextmanager
def own_network() -> Iterator[None]:
    """Move this thread, and what it starts, to a network of its own."""
    _check()
    with Path("/proc/thread-self/ns/net").open() as before:
        os.unshare(os.CLONE_NEWNET)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))
            yield
        finally:
            os.setns(before.fileno(), os.CLONE_NEWNET)


def _check() -> None:
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        lack(f"{', '.join(missing)}, which script/setup installs")
    namespaces = ("unshare", "--mount", "--pid", "--net", "--fork")
    mounts = (*namespaces, "mount", "-t", "tmpfs", "none", "/mnt")
    if subprocess.run(mounts, capture_output=True, check=False).returncode:
        lack("the rights of root, in a container of its own with --privileged")
