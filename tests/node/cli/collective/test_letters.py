"""`messages`: written to a member or to the silent ones, and listed with their state."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from consometers_node.collective.letters import register
from consometers_node.collective.members.members import Members
from consometers_node.store.collective.tables import AccessLogRow, MemberLetterRow
from testing.collectives.members import ZONE
from testing.commands.collective import admit_homes, now, writing
from testing.commands.fixtures import Run

WORDS = "Bonjour,\n\nla réunion est {mardi}.\u202e"


async def logged(folder: Path) -> list[str]:
    async with writing(folder) as connection:
        entries = (await connection.execute(select(AccessLogRow.what))).scalars().all()
    return [what for what in entries if what.startswith("message")]


async def pseudonym(folder: Path, name: str) -> str:
    async with writing(folder) as connection:
        return (await Members(connection, ZONE).named(f"{name}@example.org")).pseudonym


async def test_a_message_to_a_member_is_sent_logged_and_listed(
    run: Run, coop: Path, tmp_path: Path
) -> None:
    await admit_homes(coop, "anemone", "bleuet")
    file = tmp_path / "message.txt"
    file.write_text(WORDS, encoding="utf-8")
    assert "No message" in (await run.ok("messages", "list")).out
    sent = await run.ok("messages", "write", "anemone@example.org", "--fr", file, "--yes")
    assert "la réunion est {mardi}." in sent.err
    assert "one member" in sent.out
    async with writing(coop) as connection:
        (body,) = (await connection.execute(select(MemberLetterRow.body))).scalars()
    assert body == {"fr": "Bonjour,\n\nla réunion est {mardi}."}
    assert await logged(coop) == ["message"]
    (listed,) = await run.json("messages", "list")
    assert listed["member"] == await pseudonym(coop, "anemone")
    assert (listed["state"], listed["languages"], listed["refusal"]) == ("waiting", ["fr"], None)
    assert await run.json("messages", "list", listed["member"]) == [listed]
    assert await run.json("messages", "list", "bleuet@example.org") == []
    table = await run.ok("messages", "list", language="fr")
    assert "pas encore reçu" in table.out
    assert "réunion" not in table.out


async def test_silent_members_are_written_to_together(run: Run, coop: Path) -> None:
    await admit_homes(coop, "anemone", "bleuet")
    write = ("messages", "write", "--to")
    assert await run.json(*write, "all", "--en", "-", "--yes", typed="Hello.") == {
        "sent": 2,
        "languages": ["en"],
    }
    assert await logged(coop) == ["message to 2 members: all"]
    silent = (*write, "silent", "--en", "-", "--yes")
    assert await run.condition(*silent, typed="Hello.") == "nobody-to-write-to"


async def test_the_list_ends_after_thirty_days_but_that_of_a_member(run: Run, coop: Path) -> None:
    await admit_homes(coop, "anemone")
    async with writing(coop) as connection:
        member = await Members(connection, ZONE).named("anemone@example.org")
        at = now() - timedelta(days=31)
        await register.write(connection, [member.id], {"fr": "Bonjour."}, key="k", at=at)
    assert await run.json("messages", "list") == []
    (letter,) = await run.json("messages", "list", "anemone@example.org")
    assert letter["state"] == "given-up"


async def test_a_message_that_cannot_be_sent_says_why(run: Run, coop: Path, tmp_path: Path) -> None:
    await admit_homes(coop, "anemone")
    member, latin = "anemone@example.org", tmp_path / "latin.txt"
    latin.write_bytes("Réunion".encode("latin-1"))
    write = ("messages", "write", "--yes")
    for arguments, typed, error in (
        ((member,), "", "--fr: Write the message in at least one language."),
        ((member, "--fr", "-"), " \n", "--fr: Write the message in at least one language."),
        ((member, "--en", "-"), 2_001 * "x", "--en: Write at most 2000 characters."),
        ((member, "--fr", latin), "", "--fr: this is not text in UTF-8."),
        ((member, "--fr", "-", "--en", "-"), "a", "--en: only one language can be read"),
        (("--fr", "-"), "a", "--to: write to one member, or to a group with --to."),
        ((member, "--to", "all", "--fr", "-"), "a", "--to: write to one member, or to a group"),
    ):
        result = await run(*write, *arguments, typed=typed)
        assert (result.status, result.err.strip().startswith(error)) == (2, True), result
    assert await run.condition("messages", "write", member, "--en", "-", typed="a") == (
        "not-confirmed"
    )
    for _ in range(3):
        await run.ok(*write, member, "--en", "-", typed="Hello.")
    assert await run.condition(*write, member, "--en", "-", typed="a") == "too-many-messages"
    assert len(await logged(coop)) == 3
