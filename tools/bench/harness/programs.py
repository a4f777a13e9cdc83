"""What is measured as a program of its own: a home's node, a collective's, a bare subscriber."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import sys

from demo.hass import Hass
from demo.hass.folder import PATHS, ROOT
from demo.servers.program import Program, reach, write_private
from demo.servers.prosody import Prosody

PASSWORD = "correct horse battery staple"


@asynccontextmanager
async def program(module: str, *arguments: str) -> AsyncIterator[int]:
    """Run a module of this folder; it is online when this begins. Yields its process ID."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tools.bench.harness.{module}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"PYTHONPATH": PATHS},
    )
    assert process.stdout is not None
    try:
        if not await process.stdout.readline():
            raise RuntimeError(f"{module} ended")
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def running(node: Program) -> AsyncIterator[None]:
    """Run a node until this ends."""
    await node.run()
    try:
        yield
    finally:
        await node.close()


async def set_up(node: Program, hass: Hass, server: Prosody, jid: str) -> None:
    """Have a node use an account and a Home Assistant."""
    password_file = node.folder / "password"
    write_private(password_file, PASSWORD)
    await node.do("login", jid, *reach(server.port, server.ca_file, password_file))
    await node.do("home", hass.url, answer=await hass.api.long_lived_token())
