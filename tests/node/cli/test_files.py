"""A home without Home Assistant shares what its files have, all of it typed."""

from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from demo.servers.prosody import Prosody
from testing.commands.fixtures import Run, Start, at, running
from testing.commands.household import toy
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant
from testing.homes.files import POINT, load_curve
from testing.homes.ledgers import midnight
from testing.homes.running import StoringCollective, bare
from testing.networks import PASSWORD
from testing.waiting import until
from testing.xmpp.fixtures import MakeNode, NewAccount, XmppNode

__all__ = ["toy"]

HOUR = timedelta(hours=1)


@pytest.fixture
def collective() -> StoringCollective:
    return StoringCollective()


@pytest.fixture
async def coop(
    other_server: Prosody, new_node: MakeNode, collective: StoringCollective
) -> XmppNode:
    return await new_node(other_server, collective, keep=collective.keep)


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    """A file of the last twenty days but two."""
    path = tmp_path / "curve.csv"
    path.write_bytes(load_curve(midnight(-20), [400] * 48 * 18))
    return path


async def test_a_home_of_files_shares_them(
    *,
    run: Run,
    start: Start,
    server: Prosody,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
    curve: Path,
    tmp_path: Path,
) -> None:
    jid = new_account(server)
    await run.ok("login", jid, *at(server), typed=PASSWORD + "\n")
    assert "come from files" in (await run.ok("home", "files")).out
    added = await run.json("add-file", curve, "--yes")
    assert added["parts"][0]["readings"] == 48 * 18
    (asked,) = (await run.json("join", f"xmpp:{bare(coop)}?consometers-join;token=sesame"))["asked"]
    number = asked["permission"]
    offered = (await run.json("grant", number))["offered"]
    assert [offer["statistic"] for offer in offered] == ["files:consumption"]
    (shown,) = await run.json("preview", number, "--series", "files:consumption", "--days", 5)
    assert {record["value"] for record in shown["records"]} == {400}
    await run.ok("grant", number, "--series", "files:consumption", "--history", 30, "--yes")
    async with running(start, run):
        await until(lambda: number in collective.permissions)
        (name,) = collective.permissions[number].series
        await coop.asking.subscribe(f"{jid}/quoalise", name)
        later = tmp_path / "later.csv"
        later.write_bytes(load_curve(midnight(-2), [600] * 48))
        await run.ok("add-file", later, "--yes")
        await until(lambda: midnight(-1) - HOUR in collective.values)
        status = await run.json("status")
        assert status["home_assistant"] is None
    assert (await run.json("files"))[0]["file"] == 2
    assert (await run.json("files", "--remove", 2)) == {"removed": 2}


async def test_a_file_is_shown_and_kept_after_a_yes(run: Run, curve: Path, tmp_path: Path) -> None:
    await run.ok("home", "files")
    assert "No file was brought yet" in (await run.ok("files")).out
    refused = await run("add-file", curve)
    assert (refused.status, "load curve" in refused.out) == (1, True)
    assert await run.json("files") == []
    result = await run.ok("add-file", curve, "--yes", language="fr_FR.UTF-8")
    assert "courbe de charge" in result.out
    assert POINT not in result.out
    damaged = tmp_path / "damaged.csv"
    damaged.write_bytes(load_curve(midnight(-2), [400] * 3).replace(b";400", b";4x", 1))
    assert "Line 5: its value cannot be read." in (await run("add-file", damaged, "--yes")).out
    assert "is removed" in (await run.ok("files", "--remove", 1)).out
    assert await run.condition("files", "--remove", 1) == "usage"


async def test_files_that_are_none_are_refused_in_words(run: Run, tmp_path: Path) -> None:
    await run.ok("home", "files")
    missing = await run("add-file", tmp_path / "missing.csv", "--yes")
    assert missing.status == 2
    assert "cannot be read" in missing.err
    archive = tmp_path / "empty.zip"
    with ZipFile(archive, "w") as made:
        made.writestr("photo.jpg", b"x")
    assert await run.condition("add-file", archive, "--yes") == "unknown-form"


async def test_a_home_of_home_assistant_has_no_files(
    run: Run, toy: ToyHomeAssistant, curve: Path
) -> None:
    assert await run.condition("add-file", curve, "--yes") == "no-files"
    await run.ok("home", "files")
    await run.ok("home", toy.url, typed=TOKEN + "\n")
    assert await run.condition("files") == "no-files"
