"""A collective grants what it has released, on the command line, as a home grants its series."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from consometers_node.collective.output_series import Told, own_series, write
from consometers_node.quoalise.identifier import organisation
from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store

from .conftest import Run

PEER = "municipality@example.org"
OWN = str(organisation("kersabiec"))
HOUR = timedelta(hours=1)
TOML = """\
id = "sums"
version = 1
controller = "Commune d’exemple"
contact = "donnees@example.org"
policy = "https://example.org/donnees"
interval = "PT1H"
history = "P1Y"
duration = "P2Y"
retention = "P6M"
series = [{ direction = "consumption", quantity = "power" }]
[title]
fr = "L'énergie de la commune"
[purpose]
fr = "La montrer."
"""


@pytest.fixture
async def number(run: Run, tmp_path: Path) -> str:
    """What somebody asks of a collective that has released two hours in two directions."""
    folder = tmp_path / "share" / "consometers"
    folder.mkdir(parents=True)
    store = await Store.open(folder / "node.db")
    await keep_collective(store, "kersabiec")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    async with store.writing() as connection:
        for direction in (Direction.CONSUMPTION, Direction.PRODUCTION):
            told = [
                Told(start=now - n * HOUR, watt_minutes=n * 60_000, members=10 + n) for n in (2, 3)
            ]
            series = own_series(Device(OWN), direction, Interval.PT1H, "Europe/Paris")
            await write(connection, {series: told}, now)
        commune = Device(f"{OWN}-lorient")
        series = own_series(commune, Direction.CONSUMPTION, Interval.PT1H, "Europe/Paris")
        await write(connection, {series: told}, now)
    await store.close()
    need = tmp_path / "sums.toml"
    need.write_text(TOML)
    said = await run("peer", "add", PEER, "--need", need, "--json")
    told_: Any = said.document
    (asked,) = told_["asked"]
    return str(asked["permission"])


async def test_what_is_asked_for_and_was_released_is_offered(run: Run, number: str) -> None:
    said: Any = (await run("grant", number, "--json")).document
    assert [(one["statistic"], one["direction"], one["interval"]) for one in said["offered"]] == [
        (OWN, "consumption", "PT1H"),
        (f"{OWN}-lorient", "consumption", "PT1H"),
    ]


async def test_the_very_records_are_shown(run: Run, number: str) -> None:
    said = await run("preview", number, "--series", OWN, "--json")
    assert said.status == 0, said.err
    shown: Any = said.document
    assert [one["value"] for one in shown[0]["records"]] == [3_000, 2_000]


async def test_sums_are_granted_in_the_words_of_a_collective(run: Run, number: str) -> None:
    said = await run("grant", number, "--series", f"{OWN}=consumption", "--yes")
    assert said.status == 0, said.err
    assert "how many members each sum has" in said.out
    assert "the name of your collective" in said.out
    told: Any = (await run("permissions", number, "--json")).document
    assert told["state"] == "granted"
    assert [one["identifier"] for one in told["series"]] == [f"{OWN}_consumption/power/active/raw"]


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (f"{OWN}=injection", "Nothing was released yet"),
        (f"{OWN}-other", "Nothing was released yet"),
        (f"{OWN}=sideways", "is no direction"),
    ],
)
async def test_what_was_not_released_cannot_be_granted(
    run: Run, number: str, series: str, says: str
) -> None:
    said = await run("grant", number, "--series", series, "--yes")
    assert said.status == 2
    assert says in said.err


async def test_the_sum_of_a_commune_is_not_granted_beside_that_of_all(
    run: Run, number: str
) -> None:
    both = ("--series", OWN, "--series", f"{OWN}-lorient")
    said = await run("grant", number, *both, "--yes")
    assert said.status == 2
    assert "homes would count twice" in said.err
    said = await run("grant", number, "--series", f"{OWN}-lorient", "--yes")
    assert said.status == 0, said.err


async def test_an_answer_can_be_no_or_taken_back(run: Run, number: str) -> None:
    assert (await run("grant", number, "--series", OWN, "--yes")).status == 0
    said = await run("withdraw", number, "--yes")
    assert said.status == 0
    assert "Nothing more will leave your collective" in said.out


@pytest.mark.parametrize(
    ("tampered", "outcome"),
    [
        ("INSERT ON register", ("not-registered", "withdrawn")),
        ("UPDATE ON permission", ("not-withdrawn", "granted")),
    ],
)
async def test_nobody_reads_withdrawn_where_the_database_was_tampered_with(
    run: Run, number: str, tmp_path: Path, tampered: str, outcome: tuple[str, str]
) -> None:
    assert (await run("grant", number, "--series", OWN, "--yes")).status == 0
    with closing(sqlite3.connect(tmp_path / "share" / "consometers" / "node.db")) as database:
        database.execute(
            f"CREATE TRIGGER tampered BEFORE {tampered} BEGIN SELECT RAISE(ABORT, 'tampered'); END"
        )
        said = await run("withdraw", number, "--yes", "--json")
        assert said.status != 0
        told: Any = (await run("permissions", number, "--json")).document
        assert (said.condition, told["state"]) == outcome
        database.execute("DROP TRIGGER tampered")
    said = await run("withdraw", number, "--yes", "--json")
    assert said.status == 0, said.err
    assert [one["state"] for one in (await _register(run, number))][-1] == "withdrawn"


async def _register(run: Run, number: str) -> list[Any]:
    told: Any = (await run("permissions", number, "--json")).document
    return list(told["register"])
