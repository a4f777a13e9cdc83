"""How the container starts the node, and what it makes of its end."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
import re
import ssl
import subprocess
import sys
from threading import Thread

import pytest

from demo.servers.prosody import Authority
from testing.addon import service
from testing.addon.installed import ADDON


def bash(script: Path, *arguments: str, root: Path) -> str:
    """Run a script as the container does, with its own `/run`, `/etc` and `consometers-node`."""
    shown = "${SSL_CERT_FILE:+trusts $SSL_CERT_FILE $SSL_CERT_DIR}"
    (root / "consometers-node").write_text(f'#!/bin/sh\necho "$@" {shown}\n')
    (root / "consometers-node").chmod(0o755)
    program = script.read_text().replace("/run/", f"{root}/").replace("=/etc/", f"={root}/")
    done = subprocess.run(
        ("/bin/bash", "-c", program, *arguments),
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": f"{root}:/usr/bin:/bin", "CONSOMETERS_DATA": str(root)},
    )
    return done.stdout


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ('{"log_level": "warning"}', " --log-level warning"),
        ('{"log_level": ""}', ""),
        ('{"log_level": null}', ""),
        ("{}", ""),
        ('{"log_', ""),
        (None, ""),
    ],
    ids=["chosen", "empty", "null", "none", "torn", "no file"],
)
def test_the_node_starts_with_the_chosen_log_level_or_its_own(
    tmp_path: Path, options: str | None, level: str
) -> None:
    """The Supervisor is not there to be asked: nothing but the file has the options."""
    if options is not None:
        (tmp_path / "options.json").write_text(options)
    assert bash(service.RUN, root=tmp_path) == f"run --page 0.0.0.0:8099{level}\n"


@pytest.mark.parametrize("bundles", ["s6-rc.d", "user-bundles.d"], ids=["3.2.3.0", "3.2.3.2"])
def test_the_service_is_in_the_bundle_that_the_init_system_of_the_base_reads(
    tmp_path: Path, bundles: str
) -> None:
    contents = tmp_path / bundles / "user/contents.d"
    contents.mkdir(parents=True)
    (tmp_path / bundles / "user2/contents.d").mkdir(parents=True)
    (line,) = re.findall(r"^RUN (touch .*)$", (ADDON / "Dockerfile").read_text(), re.MULTILINE)
    subprocess.run(("sh", "-ec", line.replace("/etc/s6-overlay", str(tmp_path))), check=True)
    assert [file.relative_to(contents).name for file in tmp_path.rglob("consometers")] == [
        "consometers"
    ]


def test_the_node_trusts_the_hashed_authorities_of_the_image(tmp_path: Path) -> None:
    authorities = tmp_path / "ssl/certs"
    authorities.mkdir(parents=True)
    (authorities / "0a1b2c3d.0").touch()
    printed = bash(service.RUN, root=tmp_path)
    assert printed.endswith(f" trusts /dev/null {authorities}\n")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def site(tmp_path: Path, socket_enabled: None) -> Iterator[tuple[str, Authority]]:
    """The address of a server with TLS, and the authority of its certificate."""
    authority = Authority(tmp_path / "authority")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue("localhost", tmp_path))
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_port}/", authority
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_server_is_verified_by_the_authorities_in_the_folder(
    tmp_path: Path, site: tuple[str, Authority], *, is_trusted: bool
) -> None:
    url, authority = site
    folder = tmp_path / "certs"
    folder.mkdir()
    if is_trusted:
        asked = ("openssl", "x509", "-noout", "-hash", "-in", authority.file)
        digest = subprocess.check_output(asked, text=True).strip()
        (folder / f"{digest}.0").symlink_to(authority.file)
    done = subprocess.run(
        (sys.executable, "-P", "-c", _ASK, url),
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ADDON), "SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": str(folder)},
    )
    assert done.stdout == ("204 204\n" if is_trusted else "refused refused\n")


_ASK = """
import asyncio, sys
import aiohttp
from consometers_quoalise_network import Server

async def main():
    async with aiohttp.ClientSession() as session:
        for tls in True, Server().tls():
            try:
                async with session.get(sys.argv[1], ssl=tls) as response:
                    yield response.status
            except aiohttp.ClientConnectorCertificateError:
                yield "refused"

async def show():
    print(*[result async for result in main()])

asyncio.run(show())
"""


@pytest.mark.parametrize(
    ("status", "signal_number", "before", "ends", "result"),
    [
        (0, 0, 0, False, 0),
        (256, 15, 0, False, 0),
        (1, 0, 0, True, 1),
        (256, 9, 0, True, 137),
        (1, 0, 3, True, 3),
    ],
    ids=["node ended", "node stopped", "node failed", "node killed", "failed before"],
)
def test_a_failed_node_stops_the_container(
    tmp_path: Path, *, status: int, signal_number: int, before: int, ends: bool, result: int
) -> None:
    exit_code = tmp_path / "s6-linux-init-container-results" / "exitcode"
    halt = tmp_path / "s6" / "basedir" / "bin" / "halt"
    for file, text in ((exit_code, f"{before}\n"), (halt, "#!/bin/sh\necho halted\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    halt.chmod(0o755)
    printed = bash(
        service.RUN.with_name("finish"), "finish", str(status), str(signal_number), root=tmp_path
    )
    assert printed == ("halted\n" if ends else "")
    assert int(exit_code.read_text()) == result
