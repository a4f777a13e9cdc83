"""The profile lets the node do what it does, and not much else."""

from collections import defaultdict
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

from demo.servers.prosody import Authority, Prosody
from testing.addon import profile, tracing
from testing.addon.installed import ADDON, Installed
from testing.addon.service import Service

FILE = ADDON / "apparmor.txt"
PARSER = shutil.which("apparmor_parser", path="/usr/sbin:/usr/bin:/sbin")

needs_apparmor = pytest.mark.skipif(PARSER is None, reason="script/setup had no apparmor")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="script/setup had none")

IN_THE_IMAGE = {
    "/usr/local/bin/consometers-node": "r",
    "/usr/local/bin/python3.14": "rmx",
    "/usr/local/lib/libpython3.14.so.1.0": "rm",
    "/usr/local/lib/python3.14/site-packages/consometers_node/web/static/vendor/htmx.min.js": "r",
    "/lib/ld-musl-x86_64.so.1": "rm",
    "/lib/ld-musl-aarch64.so.1": "rm",
    "/usr/lib/libsqlite3.so.0": "rm",
    "/etc/hosts": "r",
    "/etc/resolv.conf": "r",
    "/etc/ssl/certs/ca-certificates.crt": "r",
    "/usr/share/zoneinfo/Europe/Paris": "r",
    "/data/node.db": "rwk",
    "/data/node.db-wal": "rwk",
    "/data/node.sock": "rw",
}
"""What the image's own C library, and a Python at another place, want beside what is seen here."""
FORBIDDEN = {
    "/data/options.json": "r",
    "/etc/shadow": "r",
    "/etc/passwd": "w",
    "/usr/local/lib/python3.14/site-packages/consometers_node/series.py": "w",
    "/usr/local/bin/consometers-node": "w",
    "/bin/busybox": "x",
    "/usr/bin/curl": "x",
    "/run/s6/container_environment/SUPERVISOR_TOKEN": "r",
    "/config/secrets.yaml": "r",
    "/proc/1/environ": "r",
}


@pytest.fixture(scope="module")
def allowed() -> list[profile.Rule]:
    return profile.rules(FILE.read_text(), "node")


@needs_apparmor
def test_the_profile_is_well_formed() -> None:
    assert PARSER
    done = subprocess.run(
        (PARSER, "-Q", "-K", "-T", FILE), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_supervisor_finds_one_profile_to_rename() -> None:
    """It looks for lines that begin so, and refuses a file that has two of them."""
    assert re.findall(r"^profile ([^ ]+).*$", FILE.read_text(), re.MULTILINE) == ["consometers"]


@needs_apparmor
@pytest.mark.parametrize(("path", "wanted"), IN_THE_IMAGE.items(), ids=IN_THE_IMAGE)
def test_the_node_may_use_the_files_of_the_image(
    allowed: list[profile.Rule], path: str, wanted: str
) -> None:
    assert profile.missing(allowed, path, wanted) == set()


@needs_apparmor
@pytest.mark.parametrize(("path", "unwanted"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_the_node_may_not_use_other_files(
    allowed: list[profile.Rule], path: str, unwanted: str
) -> None:
    assert profile.missing(allowed, path, unwanted) == set(unwanted)


@needs_apparmor
@needs_strace
def test_the_profile_allows_all_accesses_of_the_service(
    installed: Installed, tmp_path: Path, allowed: list[profile.Rule], socket_enabled: None
) -> None:
    service = Service(installed, tmp_path)
    with Prosody("own.test", Authority(tmp_path / "authority")) as server:
        service.log_in(server)
        with service.running():
            service.until_online()
            assert service.get("/health") == 200
            service.get("/")
            service.do("checkpoint")

    wanted: dict[str, set[str]] = defaultdict(set)
    for path, permissions in tracing.touched(service.log):
        # The image has neither: certificates are public there, and Python is the system's.
        if path not in (str(server.ca_file), str(installed.folder / "pyvenv.cfg")):
            wanted[in_the_image(path, service)].update(permissions)
    assert {"/data/node.db", "/data/node.sock", "/etc/hosts"} <= wanted.keys()
    assert len(wanted) > 500
    lacks = {path: profile.missing(allowed, path, "".join(modes)) for path, modes in wanted.items()}
    assert {path: modes for path, modes in lacks.items() if modes} == {}


def in_the_image(path: str, service: Service) -> str:
    """Return where a path of this machine is in the container."""
    places = {
        service.installed.folder: "/usr/local",
        Path(sys.base_prefix): "/usr/local",
        service.data: "/data",
    }
    for here, there in places.items():
        if path.startswith(f"{here.resolve()}/"):
            return there + path.removeprefix(str(here.resolve()))
    return path
