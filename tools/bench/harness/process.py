"""The system's figures of a process."""

from dataclasses import dataclass
import os
from pathlib import Path
from typing import override


@dataclass(frozen=True)
class Memory:
    """What a process holds in MiB: at its most, now, and now without the files that it maps."""

    peak: float
    resident: float
    anonymous: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        status = Path(f"/proc/{pid}/status").read_text()

        def mib(name: str) -> float:
            return int(status.partition(f"\n{name}:")[2].split()[0]) / 1024

        return cls(mib("VmHWM"), mib("VmRSS"), mib("RssAnon"))

    @override
    def __str__(self) -> str:
        return (
            f"{self.resident:.1f} MiB resident ({self.anonymous:.1f} anonymous),"
            f" {self.peak:.1f} at most"
        )


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has had."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
