"""After a backup was put back, what ended since ends again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consometers_node.collective.privacy.erasure_log import FILE, Ended, ended_in
from consometers_node.permission import State
from consometers_node.store.collective_tables import GivenId

from .conftest import Run
from .test_collective import coop, let_in

__all__ = ["coop"]
ENDED = Ended(GivenId("b"), State.WITHDRAWN, datetime(2026, 6, 12, 9, 30, tzinfo=UTC), erased=True)


async def test_what_is_told_beside_the_database_is_done_again(run: Run, coop: Path) -> None:
    await let_in(coop, "a", "b")
    (coop / FILE).write_text(f"{ENDED.line()}\n")
    said = await run("reapply", "--json")
    assert said.document == {"permissions": 1}
    told: Any = (await run("register", "--changes", "--json")).document
    assert [one["state"] for one in told if one["permission"] == "b"] == [
        "granted",
        "withdrawn",
        "withdrawn",
    ]
    copy = coop / "copy.jsonl"
    (coop / FILE).rename(copy)
    said = await run("reapply", str(copy))
    assert said.out.endswith("erased of them: 0.\n")
    assert list(ended_in(copy)) == [ENDED]


async def test_a_copy_that_is_not_there_is_not_passed_over(run: Run, coop: Path) -> None:
    said = await run("reapply", str(coop / "none.jsonl"))
    assert said.status == 2
    assert "there is no such file" in said.err


async def test_no_success_is_told_where_nothing_that_ended_was_read(run: Run, coop: Path) -> None:
    await let_in(coop, "b")
    said = await run("reapply", language="fr")
    assert said.status == 1
    assert f"Il n’y a pas de {coop / FILE}" in said.err
    strange = coop / "strange"
    for written in (b'{"a":1}\n', b"\x89PNG\xff\n", f"{ENDED.line()}\nname = 1\n".encode()):
        strange.write_bytes(written)
        said = await run("reapply", strange, coop / "collective.toml", "--json")
        assert said.condition == "unreadable"
    told: Any = (await run("register", "--changes", "--json")).document
    assert [one["state"] for one in told] == ["granted"]


async def test_what_a_power_cut_tore_is_no_reason_to_complain(run: Run, coop: Path) -> None:
    await let_in(coop, "b")
    for torn in (ENDED.line()[:-9], ENDED.line()[:5]):
        (coop / FILE).write_text(f"{torn}\n{ENDED.line()}\n{torn}")
        assert (await run("reapply")).status == 0


async def test_a_file_that_was_emptied_is_told_and_not_taken_for_all_that_ended(
    run: Run, coop: Path
) -> None:
    await let_in(coop, "a", "b")
    (coop / FILE).write_text(f"{ENDED.line()}\n")
    assert (await run("reapply")).status == 0
    # What it told is in this database: a backup of now is older than nothing that it tells.
    (coop / FILE).write_text("")
    said = await run("reapply", language="fr")
    assert said.status == 1
    assert "Une partie d’ended.jsonl est perdue" in said.err
    assert (await run("reapply", "--json")).condition == "not-whole"
    assert (await run("reapply", "--anyway")).status == 0
