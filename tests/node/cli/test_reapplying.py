"""After a backup was put back, what ended since ends again."""

from datetime import UTC, datetime
from pathlib import Path

from consometers_node.collective.privacy.erasure_log import FILE, Ended, read_ended
from consometers_node.collective.witness.heads import Evidence, SetBack, set_back
from consometers_node.permission import State
from consometers_node.store.collective.tables import MemberPermissionId
from testing.commands.collective import admit_homes, writing
from testing.commands.fixtures import Run

ENDED = Ended(
    MemberPermissionId("b"), State.WITHDRAWN, datetime(2026, 6, 12, 9, 30, tzinfo=UTC), erased=True
)


async def test_reapply_repeats_what_the_erasure_log_holds(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    (coop / FILE).write_text(f"{ENDED.line()}\n")
    assert await run.json("reapply") == {"permissions": 1}
    changes = await run.json("register", "--changes")
    assert [change["state"] for change in changes if change["permission"] == "b"] == [
        "granted",
        "withdrawn",
        "withdrawn",
    ]
    copy = coop / "copy.jsonl"
    (coop / FILE).rename(copy)
    result = await run("reapply", str(copy))
    assert result.out.endswith("erasures: 0.\n")
    assert read_ended(copy) == [ENDED]


async def test_reapply_notes_a_witness_s_restored_backup(run: Run, coop: Path) -> None:
    """The file of keys is complete; the restored database is not."""

    async def noted() -> SetBack | None:
        async with writing(coop) as connection:
            return await set_back(connection)

    (coop / FILE).write_text("")
    await run.ok("reapply")
    assert await noted() is None
    settings = coop / "collective.toml"
    witnessed = '[witness]\nfor = ["other@energies.example"]\n'
    settings.write_text(settings.read_text().replace("[witness]\n", witnessed))
    await run.ok("reapply")
    assert await noted() == SetBack(Evidence.RESTORED, None)
    assert "set_back" in str((await run.json("status"))["problems"])


async def test_a_missing_copy_of_the_log_is_an_error(run: Run, coop: Path) -> None:
    result = await run("reapply", str(coop / "none.jsonl"))
    assert result.status == 2
    assert "there is no such file" in result.err


async def test_reapply_fails_without_a_readable_log(run: Run, coop: Path) -> None:
    await admit_homes(coop, "b")
    result = await run("reapply", language="fr")
    assert result.status == 1
    assert f"Il n’y a pas de {coop / FILE}" in result.err
    strange = coop / "strange"
    for written in (b'{"a":1}\n', b"\x89PNG\xff\n", f"{ENDED.line()}\nname = 1\n".encode()):
        strange.write_bytes(written)
        assert await run.condition("reapply", strange, coop / "collective.toml") == "unreadable"
    changes = await run.json("register", "--changes")
    assert [change["state"] for change in changes] == ["granted"]


async def test_reapply_reports_an_emptied_log(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    (coop / FILE).write_text(f"{ENDED.line()}\n")
    await run.ok("reapply")
    # This database holds all that the log held: a backup made now would miss nothing.
    (coop / FILE).write_text("")
    result = await run("reapply", language="fr")
    assert result.status == 1
    assert "Une partie d’ended.jsonl est perdue" in result.err
    assert await run.condition("reapply") == "not-whole"
    await run.ok("reapply", "--anyway")
