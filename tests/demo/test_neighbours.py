"""The homes of the street that do not get on: the error says how far they came."""

from asyncio.subprocess import Process
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from demo.collectives import neighbours
from demo.collectives.neighbours import Neighbours, Progress
from demo.servers.program import NodeError

RUNNING = cast("Process", SimpleNamespace(returncode=None))
STEPS = (Progress(homes=25, joined=13), Progress(homes=25, joined=24))


def street(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Neighbours:
    monkeypatch.setattr(neighbours, "_LOOKS_EVERY_S", 0.01)
    monkeypatch.setattr(neighbours, "_STALLED_AFTER_S", 0.3)
    homes = Neighbours(folder, lambda _: None)
    homes._process = RUNNING
    return homes


async def test_a_stall_says_how_many_homes_have_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = street(tmp_path, monkeypatch)
    homes.progress = STEPS[-1]
    with pytest.raises(NodeError, match="24 of 25 have joined"):
        await homes.until(lambda progress: progress.have_joined)


async def test_homes_that_get_on_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = street(tmp_path, monkeypatch)
    left = 60

    def happened(_: Progress) -> bool:
        nonlocal left
        left -= 1
        homes.progress = STEPS[left % 2]
        return not left

    await homes.until(happened)
    assert not left
