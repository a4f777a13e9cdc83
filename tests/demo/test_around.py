"""What visitors and programs read about the homes that share around the school."""

from pathlib import Path
import shlex
from typing import cast

import pytest

from demo.collectives.federation import READER, SMALL, Federation
from demo.processes.warm import Warm
from demo.servers.program import NodeError, closed

SUM = "urn:dev:org:60060-lorient_consumption/power/active/raw"


@pytest.mark.usefixtures("socket_enabled")
def test_the_command_reads_the_sum_of_the_municipality_as_the_reader(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SMALL, lambda _: None, cast("Warm", None))
    program, command, jid, asked, *options = shlex.split(federation.command)
    assert (program, command, jid) == (
        "script/quoalise",
        "history",
        "municipality@municipality.test",
    )
    assert asked == SUM
    assert dict(zip(options[::2], options[1::2], strict=True))["--account"] == READER


async def test_a_failing_close_leaves_nothing_else_open() -> None:
    ended = []

    class Opened:
        def __init__(self, fault: Exception | None = None) -> None:
            self._fault = fault

        async def close(self) -> None:
            ended.append(self)
            if self._fault is not None:
                raise self._fault

    with pytest.raises(NodeError, match="stuck"):
        await closed(Opened(NodeError("stuck")), Opened(), Opened())
    assert len(ended) == 3
