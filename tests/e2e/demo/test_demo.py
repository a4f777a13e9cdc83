"""`script/demo --school --json`, as a program starts it that wants to read the school's series."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
import json
from pathlib import Path
import shlex
import shutil
import signal
from typing import Final
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM
from demo.school.furnishing import DOMAIN
from testing.checkout import ROOT
from testing.programs.demo import HOUR, Addresses, Demo, DemoPlace, Records, counted, name_of, owner
from testing.programs.looks import LOOKS, Look
from testing.programs.reader import reading
from testing.run import lack
from testing.xmpp.plain_peer import GET_HISTORY, PlainPeer, values

pytestmark = pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody")

TITLE: Final = "Consometers"
HOURS_OF_A_YEAR: Final = 365 * 24
DEVICE: Final = "{urn:quoalise:0}device"

ZONE: Final = ZoneInfo("Europe/Paris")
NAMES: Final = "kersabiec.test"
"""In addresses, which have the password as a part."""
FOREIGN: Final = "urn:dev:prm:30001610071843_consumption/power/active/raw"
UNREACHABLE: Final = "wss://127.0.0.1:1/xmpp-websocket"
WORDS: Final = {
    "en": {
        "consumption": "Consumption",
        "injection": "Injection",
        "production": "Production",
    },
    "fr": {
        "consumption": "Consommation",
        "injection": "Injection",
        "production": "Production",
    },
}
SAID: Final = {
    "en": {
        "address": "not the address of an account",
        "password": "Check both, and type the password again",
        "foreign": "You may not read this series",
        "nobody": "No node is online at this address",
        "unreachable": "cannot be reached",
    },
    "fr": {
        "address": "pas l’adresse d’un compte",
        "password": "retapez le mot de passe",
        "foreign": "Vous ne pouvez pas lire cette série",
        "nobody": "Aucun nœud n’est en ligne",
        "unreachable": "est injoignable",
    },
}
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")


@pytest_asyncio.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), "--school")
    await demo.open()
    yield demo
    if demo.is_open:
        await demo.end(signal.SIGTERM)


async def test_the_observer_may_read_consumption_injection_and_production(demo: Demo) -> None:
    # What is injected at a meter is production there, and so is what an inverter makes.
    assert [
        (series["direction"], series["identifier"].partition("_")[2])
        for series in demo.addresses["series"]
    ] == [
        ("consumption", "consumption/power/active/raw"),
        ("injection", "production/power/active/raw"),
        ("production", "production/power/active/raw"),
    ]
    assert {(series["interval"], series["unit"]) for series in demo.addresses["series"]} == {
        ("PT1H", "W")
    }


async def test_the_printed_command_reads_the_year_of_home_assistant(demo: Demo) -> None:
    await _year_is_read(demo.addresses)


async def test_the_inverter_produced_as_much_as_its_meter_injected(demo: Demo) -> None:
    """Each hour of the year up to the one in which they were first read, to the Wh."""
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    injected, made = [
        await counted(demo.addresses, series["statistic"], until - HOURS_OF_A_YEAR * HOUR, until)
        for series in demo.addresses["series"][1:]
    ]
    assert made == injected


async def test_any_client_reads_the_last_day(demo: Demo) -> None:
    addresses = demo.addresses
    place = DemoPlace(addresses["xmpp"]["port"], Path(addresses["xmpp"]["ca_file"]))
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    times = {"start": (end - 24 * HOUR).isoformat(), "end": end.isoformat()}
    observer = addresses["observer"]
    async with PlainPeer(place, observer["jid"], observer["password"], priority=-1) as plain:
        for series in addresses["series"]:
            asked = GET_HISTORY.format(identifier=series["identifier"], **times)
            answer = await plain.ask(addresses["node"]["jid"], asked)
            records = values(answer)
            hours = await counted(addresses, series["statistic"], end - 24 * HOUR, end)
            assert [float(value) for _, value in records] == list(hours.values())
            assert len(records) == 24
            (device,) = answer.iter(DEVICE)
            made = series["direction"] == "production"
            assert device.get("type") == ("inverter" if made else "electricity-meter")


@needs_chromium
@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_reader_shows_a_week_of_the_school_as_home_assistant_has_it(
    demo: Demo, browser: Browser, look: Look
) -> None:
    addresses = demo.addresses
    observer = addresses["observer"]
    url = reader_of(addresses)
    last_week = datetime.now(ZONE) - timedelta(weeks=1)
    monday = (last_week - timedelta(days=last_week.weekday())).date()
    start, end = (midnight(monday + timedelta(days=days)) for days in (0, 7))
    async with reading(browser, url, look) as reader:
        await reader.photograph("login")
        await reader.log_in(observer["jid"], observer["password"])
        shown = {}
        for series in addresses["series"]:
            await reader.show(series["identifier"], monday + timedelta(days=3))
            shown[series["direction"]] = await reader.records()
            hours = await counted(addresses, series["statistic"], start, end)
            assert shown[series["direction"]] == hours
            assert len(hours) == round((end - start) / HOUR)
            await reader.photograph(series["direction"])
            word = WORDS[look.language][series["direction"]]
            await expect(reader.page.locator("h2")).to_contain_text(word)
        lines = (await reader.download()).splitlines()
        assert lines[0] == "start,value,unit"
        read = (line.split(",") for line in lines[1:])
        assert {datetime.fromisoformat(at): float(wh) for at, wh, _ in read} == hours
        # It asks its own server alone, and stores nothing.
        place = url.removeprefix("http:")
        assert all(asked.partition(":")[2].startswith(place) for asked in reader.asked)
        assert any(asked.startswith("ws:") for asked in reader.asked)
        stored = await reader.stored()
        assert observer["password"] not in stored.replace(NAMES, "")
        assert stored.startswith('[{},{},"",[],[],')
        assert not reader.faults, reader.faults


@needs_chromium
@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_reader_says_what_to_do_where_it_cannot_read(
    demo: Demo, browser: Browser, look: Look
) -> None:
    addresses = demo.addresses
    account, password = addresses["observer"]["jid"], addresses["observer"]["password"]
    notices = SAID[look.language]
    async with reading(browser, reader_of(addresses), look) as reader:
        await reader.log_in("observer", password)
        assert notices["address"] in await reader.notice()
        await reader.log_in(account, "wrong")
        assert notices["password"] in await reader.notice()
        await reader.photograph("wrong-password")
        await reader.log_in(account, password)
        assert await reader.notice() == ""
        await reader.show_another(FOREIGN, datetime.now(ZONE).date())
        assert notices["foreign"] in await reader.notice()
        await reader.photograph("foreign")
        await reader.list_series(addresses["observer"]["jid"].replace("observer", "nobody"))
        assert notices["nobody"] in await reader.notice()
        assert not reader.faults, reader.faults
        await reader.page.click("#log-out")
        await reader.page.click("#place summary")
        await reader.page.fill("#server", UNREACHABLE)
        await reader.log_in(account, password)
        assert notices["unreachable"] in await reader.notice()
        await reader.photograph("unreachable")


async def test_the_printed_page_is_in_home_assistants_sidebar(demo: Demo) -> None:
    async with owner(demo.addresses) as api:
        panels = (await api.command("get_panels")).values()
    pages = [f"{api.url}/{panel['url_path']}" for panel in panels if panel["title"] == TITLE]
    assert pages == [demo.addresses["node"]["page"]]


async def test_home_assistant_has_the_node_and_the_dashboard(demo: Demo) -> None:
    async with owner(demo.addresses) as api:
        (entry,) = [entry for entry in await api.entries(DOMAIN) if entry["source"] == "hassio"]
        assert entry["state"] == "loaded"
        assert entry["entry_id"] == demo.addresses["node"]["entry_id"]
        boards = await api.command("lovelace/dashboards/list")
        assert demo.addresses["dashboard_page"] in {
            f"{api.url}/{board['url_path']}" for board in boards
        }
        assert not await api.issues(DOMAIN)


async def test_the_demo_ends_without_a_process_and_reopens_with_its_series(demo: Demo) -> None:
    started = demo.processes
    assert {"demo.hass", "consometers_node", "prosody"} <= set(map(name_of, started))
    assert await demo.end(signal.SIGTERM) == 0
    assert not any(map(name_of, started))

    before = demo.addresses
    await demo.open()
    assert demo.addresses["observer"] == before["observer"]
    assert demo.addresses["node"]["entry_id"] == before["node"]["entry_id"]
    assert [series["identifier"] for series in demo.addresses["series"]] == [
        series["identifier"] for series in before["series"]
    ]
    await _year_is_read(demo.addresses)

    started = demo.processes
    assert await demo.end(signal.SIGHUP) == 0
    assert not any(map(name_of, started))


def reader_of(addresses: Addresses) -> str:
    reader: str | None = addresses["node"]["reader"]
    return reader or lack("what script/setup builds with npm")


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


async def _year_is_read(addresses: Addresses) -> None:
    """The observer gets every hour of a year as Home Assistant's statistics have it."""
    for series in addresses["series"]:
        start = datetime.fromisoformat(series["first"])
        end = datetime.fromisoformat(series["last"]) + HOUR
        assert end > datetime.now(UTC) - 3 * HOUR
        read = await _read(addresses["command"], series["identifier"], start, end)
        assert read == await counted(addresses, series["statistic"], start, end)
        assert HOURS_OF_A_YEAR - 2 <= len(read) == (end - start) // HOUR
        assert sum(read.values()) > 0


async def _read(command: str, identifier: str, start: datetime, end: datetime) -> Records:
    """Run the printed command, for a series and a range."""
    program, name, node, _, *options = shlex.split(command)
    process = await asyncio.create_subprocess_exec(
        str(ROOT / program),
        *(name, node, identifier, *options),
        *("--json", "--start", start.isoformat(), "--end", end.isoformat()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _nothing = await process.communicate()
    assert process.returncode == 0
    records = json.loads(printed)["records"]
    return {datetime.fromisoformat(record["time"]): record["value"] for record in records}
