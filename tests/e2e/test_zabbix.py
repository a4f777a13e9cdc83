"""A real Zabbix takes what a collective's node tells it, by the templates that we hand out."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from consometers_node.collective.facts import ALL, HEALTH, Type
from consometers_node.collective.settings import Zabbix as Told
from consometers_node.collective.zabbix import Sender, shown
from consometers_node.series import Direction
from consometers_node.store import Store
from tests.e2e.zabbix import Value, Zabbix, running
from tests.node.collective.watched import VERSION, watch_of
from tests.node.web.public.town import ZONE, Town, day_of, settings
from tools.zabbix import FOLDER, LANGUAGES, TEMPLATE

pytestmark = pytest.mark.e2e

HOST: Final = "lorient"
KEY: Final = "0123456789abcdef" * 4
HOUR: Final = timedelta(hours=1)
NOW: Final = (datetime.now(ZONE) - timedelta(days=1)).replace(
    hour=15, minute=25, second=0, microsecond=0
)
"""Zabbix keeps nothing that is older than it is to keep."""
MIDNIGHT: Final = NOW.replace(hour=0, minute=0).astimezone(UTC)
LAST: Final = NOW.replace(minute=0).astimezone(UTC) - HOUR
HOURS: Final = (LAST - MIDNIGHT) // HOUR + 1
SUNNY: Final = range(8, NOW.hour)
"""By the clock, also where that is put forward or back at night."""
POWER: Final = "consometers.published_power_watts[consumption]"
SHARE: Final = "consometers.published_today_self_consumption_percent"
VERSION_KEY: Final = "consometers.node"
_WITHIN_S: Final = 30
_FLOAT, _WORDS, _WHOLE = 0, 1, 3
"""How Zabbix numbers types of values."""
_RULES: Final = {
    name: {"createMissing": True, "updateExisting": True}
    for name in ("template_groups", "templates", "valueMaps", "templateDashboards")
} | {
    name: {"createMissing": True, "updateExisting": True, "deleteMissing": True}
    for name in ("items", "triggers")
}


@pytest.fixture(scope="module")
def zabbix() -> Iterator[Zabbix]:
    with running() as zabbix:
        yield zabbix


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    store = await Store.open(folder / "node.db")
    town = Town(store, settings(folder), NOW)
    hours = day_of(
        NOW.date(),
        consumption=lambda hour: 10_000,
        production=lambda hour: 6_000 if hour in SUNNY else 0,
        injection=lambda hour: 2_000 if hour in SUNNY else 0,
    )
    known = {
        direction: {start: watts for start, watts in told.items() if start < LAST + HOUR}
        for direction, told in hours.items()
    }
    await town.release(await town.group(), known)
    yield town
    await store.close()


@pytest.fixture(scope="module")
def host(zabbix: Zabbix) -> str:
    """A host that is linked to the template: in French, then in English."""
    for language in reversed(LANGUAGES):
        source = (FOLDER / f"consometers.{language}.yaml").read_text()
        assert zabbix.ask("configuration.import", format="yaml", source=source, rules=_RULES)
    (template,) = zabbix.ask("template.get", filter={"host": TEMPLATE})
    group = zabbix.ask("hostgroup.create", name="Collectives")["groupids"][0]
    made = zabbix.ask(
        "host.create",
        host=HOST,
        groups=[{"groupid": group}],
        templates=[{"templateid": template["templateid"]}],
    )
    number: str = made["hostids"][0]
    return number


def sender(town: Town, zabbix: Zabbix, **other: Any) -> Sender:
    return Sender(watch_of(town), Told(server="127.0.0.1", port=zabbix.port, host=HOST, **other))


def items(zabbix: Zabbix, host: str) -> dict[str, dict[str, str]]:
    found = zabbix.ask("item.get", hostids=host, output="extend")
    return {one["key_"]: one for one in found}


async def kept(zabbix: Zabbix, wanted: Mapping[str, int]) -> Mapping[str, Sequence[Value]]:
    """Give what its database has, once it has so many values of these items."""
    found: Mapping[str, Sequence[Value]] = {}
    async with asyncio.timeout(_WITHIN_S):
        while any(len(found.get(key, ())) < count for key, count in wanted.items()):
            await asyncio.sleep(0.2)
            found = zabbix.values()
    return found


async def told(sender: Sender) -> None:
    """Tell, until the server knows the host."""
    async with asyncio.timeout(_WITHIN_S):
        await sender.tell()
        while sender.problem is not None:
            await asyncio.sleep(0.5)
            await sender.tell()


def test_templates_say_the_same_in_both_languages(zabbix: Zabbix, host: str) -> None:
    """What is there is in English, which was imported last."""
    known = items(zabbix, host)
    for fact in ALL:
        for of in fact.each:
            item = known.pop(fact.key(of))
            assert item["name"] == fact.title(of).say("en")
            assert item["units"] == fact.unit.shown
            types = _WHOLE if fact.unit.is_whole else _FLOAT
            assert int(item["value_type"]) == (_WORDS if fact.type is Type.WORDS else types)
    assert known == {}
    triggers = zabbix.ask("trigger.get", hostids=host, output="extend")
    assert len(triggers) == 5
    assert all(one["error"] == "" for one in triggers)
    (template,) = zabbix.ask("template.get", filter={"host": TEMPLATE})
    (dashboard,) = zabbix.ask(
        "templatedashboard.get", templateids=template["templateid"], selectPages="extend"
    )
    assert len(dashboard["pages"][0]["widgets"]) == 6


async def test_all_that_is_known_arrives(zabbix: Zabbix, host: str, town: Town) -> None:
    telling = sender(town, zabbix)
    await told(telling)
    health = await watch_of(town).health()
    wanted = {
        fact.key(of): shown(value, fact.unit)
        for fact in HEALTH
        if not fact.name.startswith("process_")
        for of, value in fact.values(health)
    }
    assert wanted[VERSION_KEY] == VERSION
    found = await kept(zabbix, dict.fromkeys(wanted, 1) | {POWER: HOURS, SHARE: len(SUNNY)})
    for key, value in wanted.items():
        assert {one for _, one in found[key]} == {value}, key
    assert found[POWER] == [(MIDNIGHT + n * HOUR, "10000") for n in range(HOURS)]
    at, share = found[SHARE][-1]
    assert at == LAST
    assert float(share) == pytest.approx(200 / 3)


async def test_what_it_missed_is_told_when_it_is_back(
    zabbix: Zabbix, host: str, town: Town
) -> None:
    await told(sender(town, zabbix))
    before = len((await kept(zabbix, {VERSION_KEY: 1}))[VERSION_KEY])
    zabbix.stop()
    telling = sender(town, zabbix)
    everybody = await town.group()
    drawn = {MIDNIGHT + n * HOUR: 10_000 for n in range(HOURS)}
    for hour in range(1, 4):
        town.now = NOW + hour * HOUR
        drawn[LAST + hour * HOUR] = 20_000 + hour
        await town.release(everybody, {Direction.CONSUMPTION: drawn})
        telling._watch._last = None
        await telling.tell()
        assert telling.problem is not None
        assert f"127.0.0.1:{zabbix.port}" in telling.problem.say("fr")
    zabbix.start()
    await told(telling)
    found = await kept(zabbix, {POWER: HOURS + 3, VERSION_KEY: before + 4})
    assert found[POWER] == [(at, str(watts)) for at, watts in sorted(drawn.items())]
    clocks = {at for at, _ in found[VERSION_KEY]}
    assert {NOW.astimezone(UTC) + hour * HOUR for hour in range(1, 4)} <= clocks


async def test_with_a_key_nobody_else_is_taken_for_the_node(
    zabbix: Zabbix, host: str, town: Town, tmp_path: Path
) -> None:
    zabbix.ask(
        "host.update", hostid=host, tls_accept=2, tls_psk_identity="lorient-psk", tls_psk=KEY
    )
    file = tmp_path / "zabbix.psk"
    file.write_text(f"{KEY}\n")
    await told(sender(town, zabbix, psk_file=file, psk_identity="lorient-psk"))
    bare = sender(town, zabbix)
    await bare.tell()
    assert bare.problem is not None
    assert HOST in bare.problem.say()
    file.write_text(f"{KEY[::-1]}\n")
    wrong = sender(town, zabbix, psk_file=file, psk_identity="lorient-psk")
    await wrong.tell()
    assert wrong.problem is not None
