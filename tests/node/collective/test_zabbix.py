"""A Zabbix server is told how a node goes, what it missed too, and nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from pathlib import Path
import shutil

import pytest
import yaml  # type: ignore[import-untyped]

from consometers_node.collective import zabbix
from consometers_node.collective.facts import ALL, COUNT, JOULES, RATIO
from consometers_node.collective.health import Health, Watch
from consometers_node.collective.settings import Zabbix
from consometers_node.collective.zabbix import Sender, shown
from consometers_node.series import Direction
from consometers_node.store import Store
from tools.zabbix import FOLDER, LANGUAGES, template

from ..web.public.town import NOW, Town, day_of, settings
from .trapper import Trapper, listening
from .watched import VERSION, watch_of

DRAWN, MADE = Direction.CONSUMPTION, Direction.PRODUCTION
HOUR = timedelta(hours=1)
MIDNIGHT = NOW.replace(hour=0, minute=0) - 2 * HOUR
LAST = NOW.replace(minute=0) - HOUR
POWER = "consometers.published_power_watts[consumption]"
NODE = "consometers.node"


@pytest.fixture
async def trapper(socket_enabled: None) -> AsyncIterator[Trapper]:
    async with listening() as trapper:
        yield trapper


@pytest.fixture
async def town(file: Store, tmp_path: Path) -> Town:
    return Town(file, settings(tmp_path))


def sender(town: Town, trapper: Trapper, **other: object) -> Sender:
    where = Zabbix(server="127.0.0.1", port=trapper.port, host="lorient", **other)  # type: ignore[arg-type]
    return Sender(Fresh(watch_of(town)), where)


def problem(telling: Sender, language: str = "en") -> str:
    return telling.problem.say(language) if telling.problem is not None else ""


class Fresh(Watch):
    """Looks anew whenever it is asked: time goes on as the town says."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch.node, VERSION, watch.now)

    async def health(self) -> Health:
        self._last = None
        return await super().health()


async def release(town: Town, until: datetime, since: datetime = MIDNIGHT) -> None:
    """Release what is drawn in all hours that end by then: as many W as hours since midnight."""
    count = (until - MIDNIGHT) // HOUR
    first = (since - MIDNIGHT) // HOUR
    hours = {MIDNIGHT + n * HOUR: n for n in range(first, count)}
    await town.release(await town.group(), {DRAWN: hours})


async def test_all_is_told_with_its_time(town: Town, trapper: Trapper) -> None:
    await release(town, NOW)
    telling = sender(town, trapper)
    await telling.tell()
    assert problem(telling) == ""
    assert {host for host, *_ in trapper.values} == {"lorient"}
    assert trapper.of(NODE) == [(int(NOW.timestamp()), VERSION)]
    assert trapper.of("consometers.problem[network]") == [(int(NOW.timestamp()), "1")]
    hours = [(int((MIDNIGHT + n * HOUR).timestamp()), str(n)) for n in range(15)]
    assert trapper.of(POWER) == hours
    day = trapper.of("consometers.published_today_watt_hours[consumption]")
    assert day[-1] == (int(LAST.timestamp()), str(14 * 15 // 2))


async def test_what_was_told_is_not_told_again(town: Town, trapper: Trapper) -> None:
    await release(town, NOW)
    telling = sender(town, trapper)
    await telling.tell()
    town.now += HOUR
    await release(town, town.now)
    await telling.tell()
    again = sender(town, trapper)
    town.now += HOUR
    await release(town, town.now)
    await again.tell()
    assert [value for _, value in trapper.of(POWER)] == [str(n) for n in range(17)]
    assert len(trapper.of(NODE)) == 3


async def test_what_is_published_late_is_told_late(town: Town, trapper: Trapper) -> None:
    hours = day_of(NOW.date(), consumption=lambda hour: 100)[DRAWN]
    known = {start: watts for start, watts in hours.items() if start <= LAST}
    everybody = await town.group()
    left = {start: watts for start, watts in known.items() if start != LAST - 2 * HOUR}
    await town.release(everybody, {DRAWN: left})
    telling = sender(town, trapper)
    await telling.tell()
    assert len(trapper.of(POWER)) == 14
    await town.release(everybody, {DRAWN: known, MADE: {LAST: 50}})
    await telling.tell()
    assert trapper.of(POWER)[14:] == [(int((LAST - 2 * HOUR).timestamp()), "100")]
    made = trapper.of("consometers.published_power_watts[production]")
    assert made == [(int(LAST.timestamp()), "50")]


async def test_what_is_missed_is_told_later(
    town: Town, trapper: Trapper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await release(town, NOW)
    await trapper.stop()
    telling = sender(town, trapper)
    for _ in range(3):
        await telling.tell()
        town.now += HOUR
        await release(town, town.now)
    assert "does not answer" in problem(telling)
    assert "ne répond pas" in problem(telling, "fr")
    await trapper.start()
    await telling.tell()
    assert problem(telling) == ""
    assert [clock for clock, _ in trapper.of(NODE)] == [
        int((NOW + n * HOUR).timestamp()) for n in range(4)
    ]
    assert len(trapper.of(POWER)) == 18
    said = [one.message for one in caplog.records if one.name.startswith("consometers_node")]
    assert len(said) == 2
    assert said[1] == "Zabbix is told again"
    assert not [one for one in caplog.records if one.name.startswith("zabbix_utils")]


async def test_what_is_kept_for_it_is_bounded(
    town: Town, trapper: Trapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zabbix, "_MOST_WAITING", 100)
    monkeypatch.setattr(zabbix, "_WEEK", timedelta(days=1))
    await release(town, NOW)
    telling = sender(town, trapper)
    await telling.tell()
    trapper.values.clear()
    await trapper.stop()
    for _ in range(10):
        town.now += 12 * HOUR
        await telling.tell()
    await release(town, town.now, since=town.now - 30 * HOUR)
    await trapper.start()
    await telling.tell()
    health = [value for value in trapper.values if value[1] not in {POWER, "x"}]
    assert len([one for one in health if "published" not in one[1]]) <= 100
    assert min(clock for clock, _ in trapper.of(POWER)) >= (town.now - 25 * HOUR).timestamp()


async def test_a_server_that_knows_no_such_host_is_told_again(town: Town, trapper: Trapper) -> None:
    await release(town, NOW)
    trapper.takes = lambda _: False
    telling = sender(town, trapper)
    await telling.tell()
    assert "make a host “lorient”" in problem(telling)
    trapper.takes = lambda _: True
    await telling.tell()
    assert problem(telling) == ""
    assert len(trapper.of(NODE)) == 2


async def test_values_that_it_does_not_know_are_left(town: Town, trapper: Trapper) -> None:
    trapper.takes = lambda value: not value[1].startswith("consometers.visits_total")
    telling = sender(town, trapper)
    await telling.tell()
    assert "did not take 4 of" in problem(telling)
    trapper.values.clear()
    await telling.tell()
    assert len(trapper.of(NODE)) == 1


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"response":"success"}',
        b'{"response":"success","info":"taken"}',
        b'{"response":"failed","info":"no"}',
    ],
)
async def test_what_is_no_zabbix_is_told_as_one_that_is_away(
    town: Town, trapper: Trapper, says: bytes
) -> None:
    trapper.says = says
    telling = sender(town, trapper)
    await telling.tell()
    assert "does not answer" in problem(telling)


@pytest.mark.parametrize("written", [None, "no digits", "abcdef", "\xff"])
async def test_without_its_key_nothing_is_told(
    town: Town, trapper: Trapper, tmp_path: Path, written: str | None
) -> None:
    file = tmp_path / "psk"
    if written is not None:
        file.write_text(written, "latin-1")
    telling = sender(town, trapper, psk_file=file)
    await telling.tell()
    assert str(file) in problem(telling, "fr")
    assert trapper.values == []


async def test_with_a_key_nothing_is_told_in_the_clear(
    town: Town, trapper: Trapper, tmp_path: Path
) -> None:
    file = tmp_path / "psk"
    file.write_text("0123456789abcdef" * 4)
    telling = sender(town, trapper, psk_file=file)
    with suppress(ConnectionError):
        await telling.tell()
    assert "does not answer" in problem(telling)
    assert trapper.values == []


async def test_it_tells_on_until_it_is_cancelled(town: Town, trapper: Trapper) -> None:
    telling = Sender(
        Fresh(watch_of(town)), Zabbix(server="127.0.0.1", port=trapper.port, host="a"), 0.01
    )
    running = asyncio.create_task(telling.run())
    async with asyncio.timeout(10):
        while len(trapper.of(NODE)) < 3:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


async def test_without_a_database_the_rest_is_told(
    town: Town, trapper: Trapper, tmp_path: Path
) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    store = await Store.open(place / "node.db")
    await store.close()
    shutil.rmtree(place)
    telling = sender(Town(store, town.settings), trapper)
    await telling.tell()
    assert problem(telling) == ""
    assert trapper.of("consometers.problem[database]") == [(int(NOW.timestamp()), "1")]
    await store.close()


def test_values_are_written_as_people_read_them() -> None:
    assert shown(1 / 3, RATIO) == "33.33333333"
    assert shown(3_600_000, JOULES) == "1000"
    assert shown(True, COUNT) == "1"
    assert shown("1.2", COUNT) == "1.2"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_has_all_that_is_told(language: str) -> None:
    """After a figure was added or changed: `python -m tools.zabbix`."""
    written = (FOLDER / f"consometers.{language}.yaml").read_text()
    assert written == template(language)
    (found,) = yaml.safe_load(written)["zabbix_export"]["templates"]
    keys = [item["key"] for item in found["items"]]
    assert keys == [fact.key(of) for fact in ALL for of in fact.each]
    names = [item["uuid"] for item in found["items"]]
    assert len(set(names)) == len(names)


def test_templates_differ_in_their_words_alone() -> None:
    def without_words(language: str) -> object:
        def left(node: object) -> object:
            if isinstance(node, dict):
                words = {"name", "description", "newvalue"}
                return {key: left(value) for key, value in node.items() if key not in words}
            return [left(one) for one in node] if isinstance(node, list) else node

        return left(yaml.safe_load((FOLDER / f"consometers.{language}.yaml").read_text()))

    assert without_words("en") == without_words("fr")
