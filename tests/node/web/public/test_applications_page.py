"""The program for those who read the open data, as it stands on the page."""

import asyncio
from asyncio.subprocess import PIPE
from pathlib import Path
import re
import sys

from testing.pages.town import ReleasedTown

PAGE = (Path(__file__).parents[4] / "docs" / "applications.md").read_text()
PROGRAM = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]


async def test_the_example_program_prints_groups_and_days(town: ReleasedTown) -> None:
    collective = str(town.url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, collective, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert out.decode().splitlines() == [
        "all all Énergies de Lorient",
        "ecole-de-kersabiec site École de Kersabiec",
        "larmor-plage area Larmor-Plage",
        "2026-06-08T00:00:00+02:00 240000 Wh of 37 members",
        "2026-06-09T00:00:00+02:00 240000 Wh of 37 members",
    ]
