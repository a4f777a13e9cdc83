"""The command line as a process of its own, among real servers.

Commands are forks of a program that is loaded already. Tests that are marked `cold`, and all with
CI_FULL=1, start them as people do.
"""

from pathlib import Path

import pytest

from testing.commands.collective import INIT
from testing.commands.fixtures import Run, command_line, environment, run, start, warm


@pytest.fixture
async def coop(run: Run, tmp_path: Path) -> Path:
    """The folder of a collective that was set up."""
    await run.ok(*INIT)
    return tmp_path / "share" / "consometers"
