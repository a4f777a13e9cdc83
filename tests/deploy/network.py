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

import pytest

_NEEDED = ("caddy", "nsenter", "postgres", "prosody", "setpriv", "unshare", "wget")
_SET_FLAGS = 0x8914
_UP_AND_RUNNING = 0x41


@contextmanager
def own_network() -> Iterator[None]:
    """Let this thread, and what it starts, be on a network of its own."""
    _check()
    with Path("/proc/thread-self/ns/net").open() as before:
        os.unshare(os.CLONE_NEWNET)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", _UP_AND_RUNNING))
            # As engines for containers have it.
            Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
            yield
        finally:
            os.setns(before.fileno(), os.CLONE_NEWNET)


def _check() -> None:
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        if "CI" in os.environ:
            raise RuntimeError(f"{missing} are missing: script/setup installs them")
        pytest.skip(f"{missing} are missing: script/setup gets them")
    asked = (
        "unshare",
        "--mount",
        "--pid",
        "--net",
        "--fork",
        "mount",
        "-t",
        "tmpfs",
        "none",
        "/mnt",
    )
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("only root may put programs into boxes")
