"""A collective grants what it has released, on the command line, as a home grants its series."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3

import pytest

from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective.published_series import own_series
from consometers_quoalise.records.identifier import organisation
from testing.collectives.published import Sum, publish
from testing.commands.collective import need_toml
from testing.commands.fixtures import Run

PEER = "municipality@example.org"
OWN = str(organisation("kersabiec"))
HOUR = timedelta(hours=1)


@pytest.fixture
async def permission_id(run: Run, tmp_path: Path) -> str:
    """Release two hours in two directions, and return the id of a peer's request for them."""
    folder = tmp_path / "share" / "consometers"
    folder.mkdir(parents=True)
    store = await Store.open(folder / "node.db")
    await keep_collective(store, "kersabiec")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    async with store.writing() as connection:
        for direction in (Direction.CONSUMPTION, Direction.PRODUCTION):
            sums = [
                Sum(start=now - n * HOUR, watt_minutes=n * 60_000, members=10 + n) for n in (2, 3)
            ]
            series = own_series(Device(OWN), direction, Interval.PT1H, "Europe/Paris")
            await publish(connection, {series: sums}, now)
        commune = Device(f"{OWN}-lorient")
        series = own_series(commune, Direction.CONSUMPTION, Interval.PT1H, "Europe/Paris")
        await publish(connection, {series: sums}, now)
    await store.close()
    need = tmp_path / "sums.toml"
    need.write_text(need_toml("sums"))
    (asked,) = (await run.json("peer", "add", PEER, "--need", need))["asked"]
    return str(asked["permission"])


async def test_published_sums_are_offered_previewed_granted_and_withdrawn(
    run: Run, permission_id: str
) -> None:
    offer = await run.json("grant", permission_id)
    assert [
        (series["statistic"], series["direction"], series["interval"])
        for series in offer["offered"]
    ] == [
        (OWN, "consumption", "PT1H"),
        (f"{OWN}-lorient", "consumption", "PT1H"),
    ]
    (preview,) = await run.json("preview", permission_id, "--series", OWN)
    assert [record["value"] for record in preview["records"]] == [3_000, 2_000]
    result = await run.ok("grant", permission_id, "--series", f"{OWN}=consumption", "--yes")
    assert "with the number of members in each sum" in result.out
    assert "the name of your collective" in result.out
    assert "pseudonym" not in result.out
    permission = await run.json("permissions", permission_id)
    assert permission["state"] == "granted"
    assert [series["identifier"] for series in permission["series"]] == [
        f"{OWN}_consumption/power/active/raw"
    ]
    result = await run.ok("withdraw", permission_id, "--yes")
    assert "Nothing more will leave your collective" in result.out


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (f"{OWN}=injection", "Nothing is published yet"),
        (f"{OWN}-other", "Nothing is published yet"),
        (f"{OWN}=sideways", "is no direction"),
    ],
)
async def test_unpublished_sums_cannot_be_granted(
    run: Run, permission_id: str, series: str, says: str
) -> None:
    result = await run("grant", permission_id, "--series", series, "--yes")
    assert result.status == 2
    assert says in result.err


async def test_a_commune_is_not_granted_together_with_all_members(
    run: Run, permission_id: str
) -> None:
    both = ("--series", OWN, "--series", f"{OWN}-lorient")
    result = await run("grant", permission_id, *both, "--yes")
    assert result.status == 1
    assert "homes would count twice" in result.err
    assert "homes would count twice" in (await run("preview", permission_id, *both)).err
    await run.ok("grant", permission_id, "--series", f"{OWN}-lorient", "--yes")


@pytest.mark.parametrize(
    ("tampered", "outcome"),
    [
        ("INSERT ON register", ("not-registered", "withdrawn")),
        ("UPDATE ON permission", ("not-withdrawn", "granted")),
    ],
)
async def test_a_failed_withdrawal_is_not_reported_as_done(
    run: Run, permission_id: str, tmp_path: Path, tampered: str, outcome: tuple[str, str]
) -> None:
    await run.ok("grant", permission_id, "--series", OWN, "--yes")
    with closing(sqlite3.connect(tmp_path / "share" / "consometers" / "node.db")) as database:
        database.execute(
            f"CREATE TRIGGER tampered BEFORE {tampered} BEGIN SELECT RAISE(ABORT, 'tampered'); END"
        )
        result = await run("withdraw", permission_id, "--yes", "--json")
        assert result.status != 0
        permission = await run.json("permissions", permission_id)
        assert (result.condition, permission["state"]) == outcome
        database.execute("DROP TRIGGER tampered")
    await run.ok("withdraw", permission_id, "--yes", "--json")
    assert (await run.json("permissions", permission_id))["register"][-1]["state"] == "withdrawn"
