"""A home shares with a collective and takes it back, all of it typed."""

import asyncio
from contextlib import AbstractAsyncContextManager
import csv
from dataclasses import replace
from datetime import timedelta
import io
import json
from pathlib import Path
import signal
from typing import Any

import pytest

from demo.servers.prosody import Prosody
from testing.commands.fixtures import Result, Run, Start, at, ended, running
from testing.commands.household import DRAWN, FED_IN, POWER, hour, toy
from testing.home_assistant.rows import rows
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant
from testing.homes.running import StoringCollective, bare
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
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
def link(coop: XmppNode) -> str:
    return f"xmpp:{bare(coop)}?consometers-join;token=sesame"


class Home:
    """A home whose account and Home Assistant are known, and which was asked."""

    def __init__(self, run: Run, start: Start, jid: str) -> None:
        self.run = run
        self.start = start
        self.jid = jid
        self.number = ""

    @property
    def address(self) -> str:
        return f"{self.jid}/quoalise"

    async def json(self, *arguments: object) -> Any:
        """Run a command that succeeds, and give its document."""
        result = await self.run(*arguments, "--json")
        assert (result.status, result.err) == (0, ""), result
        return json.loads(result.out)

    async def exported(self) -> Any:
        result = await self.run.ok("export")
        return json.loads(result.out)

    async def refused(self, *arguments: object) -> Result:
        """Run a command that fails, and say so in two languages."""
        result = await self.run(*arguments, language="fr_FR.UTF-8")
        english = await self.run(*arguments)
        assert (result.status, result.out) == (english.status, english.out), result
        assert result.status in {1, 2}
        assert result.err != english.err
        return Result(result.status, english.err, result.err)

    def running(self) -> AbstractAsyncContextManager[Any]:
        return running(self.start, self.run)


@pytest.fixture
async def home(
    run: Run, start: Start, toy: ToyHomeAssistant, server: Prosody, new_account: NewAccount
) -> Home:
    jid = new_account(server)
    await run.ok("login", jid, *at(server), typed=PASSWORD + "\n")
    await run.ok("home", toy.url, typed=TOKEN + "\n")
    return Home(run, start, jid)


@pytest.fixture
async def asked(home: Home, link: str) -> Home:
    (permission,) = (await home.json("join", link))["asked"]
    home.number = permission["permission"]
    return home


@pytest.fixture
async def newcomer(run: Run, start: Start, server: Prosody) -> Home:
    """A home that has nothing yet but an invitation, and takes the account."""
    invitation = await asyncio.to_thread(server.invite)
    account = await run.ok("join", invitation, *at(server), "--json")
    jid = str(account.document["jid"])
    again = await run("join", invitation, *at(server))
    assert again.status == 1
    assert jid in again.err
    return Home(run, start, jid)


async def test_a_collective_is_not_joined_without_an_account(run: Run, link: str) -> None:
    result = await run("join", link)
    assert (result.status, result.out) == (1, "")
    assert "no account yet" in result.err


async def test_a_home_joins_grants_runs_withdraws_and_erases(
    newcomer: Home, toy: ToyHomeAssistant, coop: XmppNode, collective: StoringCollective, link: str
) -> None:
    home, run = newcomer, newcomer.run
    result = await run.ok("join", link, language="fr_FR.UTF-8")
    assert "Demandé par\u00a0: Kersabiec" in result.out
    assert "Rien ne quitte votre foyer sans votre accord" in result.out
    assert collective.invitations == ["sesame"]
    (permission,) = await home.json("permissions")
    assert permission["state"] == "proposed"
    number = permission["permission"]
    assert await run.condition("grant", number) == "no-home"
    connected = await run("home", toy.url, typed=TOKEN + "\n")
    assert connected.out == f"{toy.url} accepts the node. Statistics of energy or power there: 3.\n"

    offered = await home.json("grant", number[:6])
    assert [(offer["statistic"], offer["direction"]) for offer in offered["offered"]] == [
        (DRAWN, "consumption")
    ]
    assert "aucune n’est choisie par défaut" in (await run("grant", number, language="fr")).out
    (shown,) = await home.json("preview", number, "--series", DRAWN, "--days", 2)
    assert {record["value"] for record in shown["records"]} == {100}
    assert len(shown["records"]) in {47, 48}

    granted = await home.json("grant", number, "--series", DRAWN, "--history", 35, "--yes")
    assert (granted["state"], granted["running"]) == ("granted", False)
    assert collective.permissions == {}
    async with home.running():
        await until(lambda: number in collective.permissions)
        (name,) = collective.permissions[number].series
        assert shown["identifier"] == str(name)
        await coop.asking.subscribe(home.address, name)
        await until_read(home)
        end = hour()
        pages = [
            page
            async for page in coop.asking.history(
                home.address, name, end - timedelta(days=34), end - HOUR
            )
        ]
        assert sum(map(len, pages)) == 34 * 24 - 1
        toy.hours[DRAWN] = rows(hour() - timedelta(days=40), 24 * 40 + 1, wh=100)
        await toy.fire("recorder_hourly_statistics_generated")
        await until(lambda: hour() in collective.values)

        status = await home.json("status")
        assert (status["account"], status["online"]) == (home.address, True)
        assert (status["network"], status["home_assistant"]) == (None, None)
        (peer,) = status["peers"]
        (series,) = peer["series"]
        assert (series["subscribed"], series["read"], peer["problem"]) == (True, 1, None)
        text = (await run("status", language="fr_FR.UTF-8")).out
        assert f"Le nœud tourne sous {home.address}." in text
        assert "100 %" in text

        withdrawn = await home.json("withdraw", number[:8], "--yes")
        assert (withdrawn["state"], withdrawn["running"]) == ("withdrawn", True)
        await until(lambda: collective.erases == [True])
    exported = await home.exported()
    assert [entry["state"] for entry in exported["register"]] == [
        "proposed",
        "granted",
        "withdrawn",
    ]
    assert exported["answer"]
    assert len(exported["block"][0]["records"]) > 30
    table = list(csv.DictReader(io.StringIO((await run("export", "--format", "csv")).out)))
    assert {row["value"] for row in table} == {"100"}
    assert (await run("erase")).status == 1
    erased = await home.json("erase", "--yes")
    assert erased["withdrawn"] == 0
    assert erased["days"] >= 35
    exported = await home.exported()
    assert exported["block"] == []
    assert exported["peer"]
    secret = json.dumps(exported)
    assert TOKEN not in secret
    assert "Nothing is shared." in (await run("status")).out


async def until_read(home: Home) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            (peer,) = (await home.json("status"))["peers"]
            if peer["series"][0]["read"] == 1:
                return
            await asyncio.sleep(0.1)


# Wrong arguments


async def test_an_unknown_permission_is_refused(asked: Home) -> None:
    for command in ("withdraw", "refuse", "permissions", "preview", "grant"):
        result = await asked.refused(command, "zzzz")
        assert "no such permission" in result.out
        assert "Cette autorisation n’existe pas" in result.err


async def test_an_ambiguous_number_is_refused(
    asked: Home, collective: StoringCollective, link: str
) -> None:
    number = asked.number
    for n in range(40):
        need = replace(collective.needs[0], id=f"need-{n}")
        collective.needs.append(need)
    await asked.json("join", link)
    listed = await asked.json("permissions")
    assert len(listed) == 41
    if sum(permission["permission"].startswith(number[0]) for permission in listed) > 1:
        result = await asked.refused("refuse", number[0], "--yes")
        assert "type more digits" in result.out
    result = await asked.refused("refuse", "", "--yes")
    assert "type more digits" in result.out


WRONG_CHOICES = {
    ("sensor.none",): "no statistic of energy or power named sensor.none",
    (POWER,): f"Which way does the energy of {POWER} flow?",
    (f"{DRAWN}=up",): "“up” is no direction",
    (FED_IN,): "Choose requested series",
    (DRAWN, "--interval", "PT5M"): "finer than requested",
    (DRAWN, "--history", "1000"): "a longer history than requested",
    (DRAWN, "--duration", "1000"): "longer than requested",
}


async def test_a_wrong_choice_is_refused_before_the_confirmation(
    asked: Home,
) -> None:
    for (series, *arguments), words in WRONG_CHOICES.items():
        result = await asked.run("grant", asked.number, "--series", series, *arguments)
        assert result.status in {1, 2}
        assert result.out == ""
        assert words in result.err
    result = await asked.run("grant", asked.number, "--series", DRAWN)
    assert "You allow" in result.out
    assert "answer the question, or write --yes" in result.err
    assert await asked.run.condition("grant", asked.number, "--series", DRAWN) == "not-confirmed"
    (permission,) = await asked.json("permissions")
    assert permission["state"] == "proposed"


async def test_a_permission_is_answered_once(asked: Home) -> None:
    assert (await asked.json("refuse", asked.number, "--yes"))["state"] == "refused"
    for command in (
        ("withdraw", asked.number, "--yes"),
        ("refuse", asked.number, "--yes"),
        ("grant", asked.number, "--series", DRAWN, "--yes"),
    ):
        result = await asked.refused(*command)
        assert "“refused”" in result.out
        assert "«\u202frefusée\u202f»" in result.err
    result = await asked.run("permissions", asked.number)
    assert "You refuse" in result.out


async def test_an_invalid_need_file_adds_no_peer(
    home: Home, tmp_path: Path, coop: XmppNode
) -> None:
    need = tmp_path / "need.toml"
    need.write_text("id = 'x'\n")
    result = await home.refused("peer", "add", "town@two.test", "--need", need)
    assert result.status == 1
    assert (await home.run("peer", "add", "not an address", "--need", need)).status == 1
    assert (await home.run("peer", "add", "a@b", "--need", tmp_path / "none.toml")).status == 1


async def test_a_power_is_granted_with_a_direction(asked: Home, toy: ToyHomeAssistant) -> None:
    toy.hours[POWER] = [{"start": 0, "mean": 1.0}]
    granted = await asked.json("grant", asked.number, "--series", f"{POWER}=consumption", "--yes")
    assert granted["state"] == "granted"
    result = await asked.run("permissions", asked.number, language="fr_FR.UTF-8")
    assert "Vous accordez" not in result.out
    assert "You allow" in result.out
    assert f"{POWER} → urn:dev:org:60060-" in result.out


# Running


async def test_a_second_node_of_a_folder_is_refused(asked: Home) -> None:
    async with asked.running():
        # It would log, in the language of Home Assistant.
        result = await asked.run("run", language="fr_FR.UTF-8")
        assert result.status == 1
        assert "already running" in result.err
        await asyncio.sleep(1)
        status = await asked.json("status")
        assert (status["online"], status["network"]) == (True, None)


async def test_run_names_the_missing_setting(
    run: Run, toy: ToyHomeAssistant, server: Prosody, new_account: NewAccount
) -> None:
    assert await run.condition("run") == "no-account"
    result = await run("run", language="fr")
    assert "n’a pas de compte XMPP" in result.err
    await run("login", new_account(server), *at(server), typed=PASSWORD + "\n")
    assert await run.condition("run") == "no-home"
    result = await run("home", toy.url, typed="wrong\n")
    assert result.status == 1
    assert "refuses the access token" in result.err
    assert "Traceback" not in result.err
    result = await run("run", CONSOMETERS_HOME_URL=toy.url, CONSOMETERS_HOME_TOKEN="wrong")
    assert result.status == 1
    assert "refuses the access token" in result.err
    result = await run("home", "ftp://x", typed="x\n")
    assert "is not the address of a Home Assistant" in result.err
    assert (await run("home", toy.url)).status == 1


async def test_run_refuses_a_folder_too_long_for_its_socket(
    home: Home, tmp_path: Path, server: Prosody
) -> None:
    deep = tmp_path / ("x" * 100)
    await home.run("login", home.jid, *at(server), "--data", deep, typed=PASSWORD + "\n")
    variables = {"CONSOMETERS_HOME_URL": "http://127.0.0.1:9", "CONSOMETERS_HOME_TOKEN": "x"}
    result = await home.run("run", "--data", deep, **variables)
    assert result.status == 1
    assert "too long" in result.err


async def test_status_reports_an_unreachable_home_assistant(
    asked: Home, toy: ToyHomeAssistant
) -> None:
    await asked.json("grant", asked.number, "--series", DRAWN, "--yes")
    toy.status = 502
    async with asked.running():
        async with asyncio.timeout(DEADLINE_S):
            while "502" not in str((await asked.json("status"))["home_assistant"]):
                await asyncio.sleep(0.1)
        result = await asked.run("status", language="fr_FR.UTF-8")
        assert "Home Assistant répond 502" in result.out
        toy.status = 101
        await until_read(asked)
        assert (await asked.json("status"))["home_assistant"] is None


@pytest.mark.cold
async def test_a_node_stopped_at_its_start_ends_quietly(home: Home) -> None:
    process = await home.start("run")
    await asyncio.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    assert (await ended(process)).status in {0, -signal.SIGTERM}


async def test_a_running_node_stays_online_after_an_erasure(
    asked: Home, collective: StoringCollective
) -> None:
    await asked.json("grant", asked.number, "--series", DRAWN, "--yes")
    async with asked.running():
        await until_read(asked)
        await until(lambda: asked.number in collective.permissions)
        erased = await asked.json("erase", "--yes")
        assert erased["withdrawn"] == 1
        await until(lambda: collective.erases == [True])
        assert (await asked.exported())["block"] == []
        assert (await asked.json("status"))["online"] is True
