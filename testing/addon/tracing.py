"""What a program touches, as the kernel is asked for it: strace, read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
import re

CALLS = "%file,fcntl,bind,connect,mmap"

_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (\S+)(.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_FOLLOWED = re.compile(r"\d+<(/[^>]*)>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CHANGES = re.compile(
    r"(unlink|rename|mkdir|rmdir|f?chmod|f?chown|truncate|symlink|link|utimens|mknod)(at2?)?"
)


def command(log: Path, *program: str | Path) -> tuple[str | Path, ...]:
    """Return what runs a program and writes into a file what it and its children touch."""
    return (
        "strace",
        "-f",
        "-y",
        "-qq",
        "--seccomp-bpf",
        "-s",
        "4096",
        "-e",
        f"trace={CALLS}",
        "-o",
        log,
        *program,
    )


def touched(log: Path) -> Iterator[tuple[str, str]]:
    """Yield each path that was touched, as AppArmor sees it, and the permissions it takes."""
    for line in _whole(log.read_text(errors="replace").splitlines()):
        if (call := _CALL.match(line)) is None or call[3].startswith("-"):
            continue
        name, arguments, given, rest = call.groups()
        paths = _FOLLOWED.findall(arguments)
        opened = _FOLLOWED.match(given + rest)
        match name:
            case "open" | "openat" | "creat" if opened:
                writes = re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", arguments)
                reads = "O_WRONLY" not in arguments
                yield _folder(opened[1]), ("r" if reads else "") + ("w" if writes else "")
            case "execve":
                yield str(Path(_QUOTED.findall(arguments)[0]).resolve()), "r"
            case "mmap" if "PROT_EXEC" in arguments and paths:
                yield paths[0], "m"
            case "fcntl" if "F_SETLK" in arguments and paths:
                yield paths[0], "k"
            case "bind" | "connect":
                if path := re.search(r'sun_path="(/[^"]*)"', arguments):
                    yield path[1], "w" if name == "bind" else "rw"
            case _ if _CHANGES.fullmatch(name):
                for path in _QUOTED.findall(arguments):
                    if path.startswith("/"):
                        yield path, "w"


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Put together calls during which another thread called."""
    begun: dict[str, str] = {}
    for line in lines:
        if unfinished := _UNFINISHED.match(line):
            begun[unfinished[1]] = unfinished[2]
        elif resumed := _RESUMED.match(line):
            yield f"{resumed[1]} {begun.pop(resumed[1], '')}{resumed[2]}"
        else:
            yield line


def _folder(path: str) -> str:
    """Write a folder with a slash after it, as AppArmor does."""
    return f"{path}/" if Path(path).is_dir() and path != "/" else path
