"""The reverse proxy that deploy/ sets up, on this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
import json
import os
from pathlib import Path
import shutil
import socket
import ssl
import subprocess
from types import MappingProxyType

from testing.checkout import ROOT
from testing.run import DEADLINE_S, lack

VISITOR = "127.77.7.7"
"""An address of this machine that nothing else uses."""
PATH = "/administration/members/lisette-le-goff"
REQUEST = (
    f"GET {PATH}?note=at-the-mill HTTP/1.1\r\nHost: localhost\r\nCookie: session=secret-of-lisette"
    "\r\nReferer: https://localhost/join/the-invitation\r\nConnection: close\r\n\r\n"
)

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def answers_no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"what is " + PATH.encode() + b"\r\n\r\n")
    await writer.drain()
    writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def adapted(
    folder: Path, node: int, xmpp: int = 0, settings: Mapping[str, str] = MappingProxyType({})
) -> tuple[Path, int]:
    """Write the configuration of deploy/ for ports that are free; return it and the https port.

    `settings` are further variables of the proxy.
    """
    if shutil.which("caddy") is None:
        lack("caddy, which script/setup installs")
    asked = ("caddy", "adapt", "--config", ROOT / "deploy/proxy/Caddyfile", "--adapter")
    written = subprocess.run(
        (*asked, "caddyfile"),
        env={
            **os.environ,
            "DOMAIN": "localhost",
            "EMAIL": "you@energies.test",
            "CERTIFICATES_FROM": "internal",
            **settings,
        },
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "node:8080" in written
    assert "prosody:5280" in written
    for name, port in (("node:8080", node), ("host:8080", node), ("prosody:5280", xmpp)):
        written = written.replace(name, f"127.0.0.1:{port}")
    config = json.loads(written.replace("/srv/reader", str(folder / "reader")))
    http, https = free_port(), free_port()
    config["admin"] = {"disabled": True}
    config["apps"]["http"] |= {"http_port": http, "https_port": https}
    (server,) = config["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    server["listen"] = [f"127.0.0.1:{https}"]
    file = folder / "caddy.json"
    file.write_text(json.dumps(config))
    return file, https


@asynccontextmanager
async def proxy(
    folder: Path,
    answer: Answer | None,
    xmpp: int = 0,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[int]:
    """Run the proxy before a node or host that answers so, or that does not run; yield its port.

    `xmpp` is the port of Prosody, `settings` are further variables of the proxy.
    """
    node = free_port()
    listening = answer and await asyncio.start_server(answer, "127.0.0.1", node)
    file, port = adapted(folder, node, xmpp, settings)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig=KILL", "caddy", "run", "--config", file),
            env={**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()
        if listening:
            listening.close()


def trusting() -> ssl.SSLContext:
    """Return what takes a certificate of any authority."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def ask(port: int, domain: str = "localhost", request: str = REQUEST) -> bytes:
    """Ask as a visitor, as soon as the proxy answers; return what came."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with suppress(ConnectionRefusedError, ssl.SSLError):
                reader, writer = await asyncio.open_connection(
                    *("127.0.0.1", port),
                    ssl=trusting(),
                    server_hostname=domain,
                    local_addr=(VISITOR, 0),
                )
                break
            await asyncio.sleep(0.1)
        writer.write(request.encode())
        answer = await reader.read()
        writer.close()
        return answer
