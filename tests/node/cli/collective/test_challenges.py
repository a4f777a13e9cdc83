"""`challenges`: set between groups with published sums, listed, changed, removed."""

from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from consometers_node.series import Direction, Interval
from consometers_node.store.collective.groups import GroupKind, group_id
from consometers_node.store.collective.publication import PublishedCell, write
from consometers_node.store.collective.tables import AccessLogRow
from testing.collectives.members import ZONE
from testing.commands.collective import now, writing
from testing.commands.fixtures import Run

SPRING = (
    *("--name-fr", "Le défi"),
    *("--name-en", "The challenge"),
    *("--from", "2026-03-02", "--to", "2026-04-26"),
    *("--objective", "10"),
)


async def publish(folder: Path, *communes: str) -> None:
    """Publish a day of some communes."""
    day = date(2026, 3, 2)
    async with writing(folder) as connection:
        cells = [
            PublishedCell(
                group=await group_id(connection, GroupKind.AREA, name),
                interval=Interval.P1D,
                direction=Direction.CONSUMPTION,
                start=datetime.combine(day, datetime.min.time(), ZONE),
                day=day,
                watt_minutes=60_000,
                members=12,
                homes=12,
                counting=12,
                homes_watt_minutes=60_000,
                average=5_000,
                minutes=1440,
            )
            for name in communes
        ]
        await write(connection, cells, [])


async def test_a_challenge_is_set_listed_changed_and_removed(run: Run, coop: Path) -> None:
    assert await run.json("challenges", "list") == []
    assert "challenges set" in (await run("challenges", "list")).out
    await publish(coop, "Lorient", "Lanester")
    groups = await run.json("challenges", "groups")
    assert [group["group"] for group in groups] == ["lanester", "lorient"]
    assert [group["communes"] for group in groups] == [["Lanester"], ["Lorient"]]
    both = ("--participant", "lorient", "--participant", "lanester")
    made = await run.json("challenges", "set", *SPRING, *both)
    assert made == {
        "id": 1,
        "name": {"fr": "Le défi", "en": "The challenge"},
        "from": "2026-03-02",
        "to": "2026-04-26",
        "objective_percent": 10,
        "participants": ["lanester", "lorient"],
    }
    last = (now() + timedelta(days=100)).date().isoformat()
    first = (now() - timedelta(days=100)).date().isoformat()
    later = (*SPRING, "--from", first, "--to", last)
    result = await run("challenges", "set", *later, *both, "--change", "1", language="fr")
    assert result.out.strip() == "Le défi 1 est enregistré\xa0: «\u202fLe défi\u202f»."
    result = await run("challenges", "list", language="fr")
    for words in ("Le défi", first, last, "−10 %", "en cours", "lanester, lorient"):
        assert words in result.out
    assert await run.json("challenges", "remove", "1") == {"id": 1, "removed": True}
    assert await run.condition("challenges", "remove", "1") == "unknown"
    async with writing(coop) as connection:
        logged = (await connection.execute(select(AccessLogRow.what))).scalars().all()
    assert [what.split()[-1] for what in logged if "challenge" in what] == [
        "set",
        "changed",
        "removed",
    ]


async def test_an_invalid_option_of_a_challenge_is_named(run: Run, coop: Path) -> None:
    await publish(coop, "Lorient")
    result = await run("challenges", "set", *SPRING, "--participant", "lorient")
    assert (result.status, result.err.strip()) == (
        2,
        "--participant: From 2 to 20 groups take part.",
    )
    result = await run(
        "challenges", "set", *SPRING, "--to", "soon", "--participant", "lorient", language="fr"
    )
    assert result.status == 2
    assert "--to\xa0: Écrivez un jour" in result.err
