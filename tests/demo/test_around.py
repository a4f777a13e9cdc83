"""What visitors and programs read about the homes that share around the school."""

from pathlib import Path
import shlex

import pytest

from demo.federation import READER, SMALL, CollectiveView, FederationView
from demo.program import NodeError, closed

PAGE = "http://127.0.0.1:8080"
SITE = f"{PAGE}/sites/ecole-de-kersabiec"
SUM = "urn:dev:org:60060-lorient_consumption/power/active/raw"


def collective_view(name: str) -> CollectiveView:
    return CollectiveView(
        name=name,
        jid=f"{name}@{name}.test/quoalise",
        page=PAGE,
        sites={"École de Kersabiec": SITE},
        domain=f"{name}.test",
        port=5269,
        series=({"identifier": SUM, "interval": "PT1H"},),
    )


@pytest.fixture
def federation() -> FederationView:
    return FederationView(
        cooperative=collective_view("cooperative"),
        municipality=collective_view("municipality"),
        homes=SMALL.homes,
        days=SMALL.days,
        witness="https://localhost:8443",
        plan=Path("/a folder/plan.json"),
        port=5270,
        ca_file=Path("/a folder/authority.pem"),
        password_file=Path("/a folder/password"),
    )


def test_the_command_reads_the_sum_of_the_municipality_as_the_reader(
    federation: FederationView,
) -> None:
    program, command, jid, asked, *options = shlex.split(federation.command)
    assert (program, command, jid) == (
        "script/node",
        "get-history",
        "municipality@municipality.test",
    )
    assert asked == SUM
    assert dict(zip(options[::2], options[1::2], strict=True))["--as"] == READER


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
