"""`script/demo` as a newcomer opens it: its first page is there while history still arrives.

Two years of 40 homes take minutes: `script/test tests/e2e/demo/test_demo_first_page.py
--whole-demo`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
import re
import shutil
import signal
import time
from typing import Final

import aiohttp
import pytest

from consometers_node.collective.calendar import recent_months
from testing.checkout import ROOT

pytestmark = [
    pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody"),
    pytest.mark.timeout(1800),
]

_DAY: Final = timedelta(days=1)
_WEEKS: Final = timedelta(days=28)
_COOPERATIVE: Final = re.compile(r"Coopérative / Cooperative +(http\S+)")
_FIRST: Final = "Its last weeks are there already"
_ALL: Final = "script/quoalise history municipality@municipality.test"
_ENDS_WITHIN_S: Final = 240

type Figures = Mapping[str, float | None]


@asynccontextmanager
async def starting(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the demo in a folder; end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        str(ROOT / "script" / "demo"),
        *("--folder", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_ENDS_WITHIN_S):
            await process.communicate()


async def printed(process: asyncio.subprocess.Process, words: str) -> str:
    """Return what the demo prints up to a line with these words."""
    assert process.stdout is not None
    lines = []
    while line := (await process.stdout.readline()).decode():
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


async def published(page: str, first: date, end: date) -> Figures:
    """Return the hourly consumption of all members that anybody may read, in some days."""
    figures: dict[str, float | None] = {}
    async with aiohttp.ClientSession() as session:
        while first < end:
            last = min(first + _WEEKS, end) - _DAY
            url = f"{page}/data/consumption/by/all/PT1H/from/{first}/to/{last}"
            async with session.get(url) as answer:
                assert answer.ok, await answer.text()
                values = (await answer.json())["values"]
            figures |= {value["start"]: value["value"] for value in values}
            first = last + _DAY
    return figures


async def test_the_first_page_is_there_while_history_arrives_and_keeps_its_figures(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    if not pytestconfig.getoption("whole_demo"):
        pytest.skip("two years of history take minutes: --whole-demo")
    begun = time.monotonic()
    today = datetime.now(UTC).date()
    weeks = recent_months(today), today - _DAY
    before = weeks[0] - 2 * _WEEKS, weeks[0]
    async with starting(tmp_path / "demo") as demo:
        match = _COOPERATIVE.search(await printed(demo, _FIRST))
        assert match is not None
        first_s = time.monotonic() - begun
        early = await published(match[1], *weeks)
        assert len(early) >= 24 * ((weeks[1] - weeks[0]).days - 1)
        assert None not in early.values()
        assert not any((await published(match[1], *before)).values())
        await printed(demo, _ALL)
        print(f"first page after {first_s:.0f} s, all after {time.monotonic() - begun:.0f} s")
        assert await published(match[1], *weeks) == early
        assert all((await published(match[1], *before)).values())
