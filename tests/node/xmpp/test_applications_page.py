"""The programs for those who write an application, as they stand on the page."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import re
import sys

import pytest

from consometers_quoalise_command.arguments import parse
from consometers_quoalise_command.words import Language
from demo.servers.prosody import LOOPBACK, Prosody
from testing.documentation import commands
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, SERIES, MemoryHome, records
from testing.xmpp.fixtures import MakeNode, NewAccount

DOCS = Path(__file__).parents[3] / "docs"
PROGRAM = re.compile(r"```python\n(.*?)```", re.DOTALL)
OPEN_DATA, WEEK, READ, LISTEN = PROGRAM.findall((DOCS / "applications.md").read_text())
README = DOCS.parent / "packages/quoalise/README.md"
CONNECTS = "client.connect()"


def here(program: str, server: Prosody) -> str:
    """Connect a program without DNS to a server of ours."""
    assert CONNECTS in program
    authority = f"client.ca_certs = {str(server.ca_file)!r}; client.enable_direct_tls = False"
    return program.replace(CONNECTS, f"{authority}; client.connect({LOOPBACK!r}, {server.port})")


@asynccontextmanager
async def running(program: str, server: Prosody, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        here(program, server),
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"PASSWORD": PASSWORD},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def test_both_languages_have_the_same_programs() -> None:
    french = PROGRAM.findall((DOCS / "applications.fr.md").read_text())
    assert french == [OPEN_DATA, WEEK, READ, LISTEN]


def test_the_week_is_that_of_the_library() -> None:
    assert PROGRAM.findall(README.read_text())[0] == WEEK


@pytest.mark.parametrize("page", [README, DOCS / "applications.md", DOCS / "applications.fr.md"])
def test_commands_are_those_of_quoalise(page: Path) -> None:
    typed = [line.split() for line in commands(page) if line.startswith("quoalise ")]
    assert typed
    for _, *words in typed:
        assert parse(words, Language.ENGLISH).account == "me@example.org"


async def test_the_reading_program_prints_records_or_the_refusal(
    server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> None:
    home, me = MemoryHome(), new_account(server)
    node = await new_node(server, home)
    asked = (
        me,
        node.connection.jid.partition("/")[0],
        str(SERIES),
        "2026-01-01T01:00:00+00:00",
        "2026-01-01T03:00:00+00:00",
    )
    async with asyncio.timeout(DEADLINE_S), running(READ, server, *asked) as process:
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"not-authorized: ")

    home.readers.add(me)
    async with asyncio.timeout(DEADLINE_S), running(READ, server, *asked) as process:
        out, err = await process.communicate()
    assert out.decode().splitlines() == [
        f"{SERIES} 2026-01-01T01:00:00+00:00 1",
        f"{SERIES} 2026-01-01T02:00:00+00:00 2",
    ], err


async def test_the_week_of_the_library_is_printed(
    server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> None:
    home, me = MemoryHome(), new_account(server)
    node = await new_node(server, home)
    home.readers.add(me)
    there = f"host={LOOPBACK!r}, port={server.port}, ca_file=Path({str(server.ca_file)!r})"
    program = WEEK
    for written, instead in {
        "import Account, Asking": "import Account, Asking, Server",
        "import os": "import os\nfrom pathlib import Path",
        "datetime.now(UTC)": "datetime(2026, 1, 2, tzinfo=UTC)",
        'resource="week"': f'resource="week", server=Server({there})',
    }.items():
        assert written in program
        program = program.replace(written, instead, 1)
    asked = me, node.connection.jid.partition("/")[0], str(SERIES)
    async with asyncio.timeout(DEADLINE_S):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, *asked),
            stdout=PIPE,
            env=os.environ | {"PASSWORD": PASSWORD, "PYTHONPATH": str(DOCS.parent / "addon")},
        )
        out, _ = await process.communicate()
    assert out.decode().splitlines()[:2] == [
        "2026-01-01 00:00:00+00:00 0 W",
        "2026-01-01 01:00:00+00:00 1 W",
    ]


async def test_the_listening_program_prints_pushed_records(
    server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> None:
    me = new_account(server)
    node = await new_node(server, MemoryHome(me))
    receipt_key = me, node.connection.jid.partition("/")[0], str(SERIES)
    async with asyncio.timeout(DEADLINE_S), running(LISTEN, server, *receipt_key) as process:
        assert process.stdout is not None
        await node.pushing.push(me, records(NOW, 1), seconds=DEADLINE_S)
        line = (await process.stdout.readline()).decode()
    assert f"'bn': '{SERIES}'" in line
