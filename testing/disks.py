"""A small disk that gets full, where the tests run as root."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import subprocess


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """Mount a disk of its own on a new folder; yield None where that is not allowed."""
    folder.mkdir(parents=True)
    options = f"size={megabytes}m,mode=0700"
    mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", options, "none", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Leave no room on a disk, not a byte."""
    size = 1 << 20
    with (disk / "filler").open("ab", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
