"""A real Zabbix reads the metrics of a collective's node, by the templates that we hand out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
import pytest_asyncio

from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.monitoring.metrics import HEALTH, PUBLISHED
from consometers_node.store import Store
from consometers_node.web.api.metrics import Metrics
from testing.collectives.watched import VERSION, node_of
from testing.pages.town import ZONE, ReleasedTown, day_of, settings
from testing.programs.zabbix import Zabbix, running
from testing.run import DEADLINE_S
from testing.zabbix_templates import FOLDER, LANGUAGES, table

pytestmark = [pytest.mark.e2e, pytest.mark.full]

NOW: Final = (datetime.now(ZONE) - timedelta(days=1)).replace(
    hour=15, minute=25, second=0, microsecond=0
)
SUNNY: Final = range(8, NOW.hour)
_RULES: Final = {
    name: {"createMissing": True, "updateExisting": True}
    for name in ("template_groups", "templates", "valueMaps", "templateDashboards")
} | {
    name: {"createMissing": True, "updateExisting": True, "deleteMissing": True}
    for name in ("items", "triggers", "discoveryRules")
}


@pytest.fixture(scope="module")
def zabbix() -> Iterator[Zabbix]:
    with running() as zabbix:
        yield zabbix


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    folder = tmp_path_factory.mktemp("town")
    store = await Store.open(folder / "node.db")
    town = ReleasedTown(store, settings(folder), NOW)
    hours = day_of(
        NOW.date(),
        consumption=lambda hour: 10_000,
        production=lambda hour: 6_000 if hour in SUNNY else 0,
        injection=lambda hour: 2_000 if hour in SUNNY else 0,
    )
    end = NOW.replace(minute=0)
    published = {
        direction: {start: watts for start, watts in values.items() if start < end}
        for direction, values in hours.items()
    }
    await town.release(await town.group(), published)
    yield Watch(node_of(town), VERSION, lambda: town.now)
    await store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def host(zabbix: Zabbix, watch: Watch) -> AsyncIterator[str]:
    """A host with the template, imported in French, then in English."""
    for language in reversed(LANGUAGES):
        source = (FOLDER / f"consometers.{language}.yaml").read_text()
        assert zabbix.ask("configuration.import", format="yaml", source=source, rules=_RULES)
    (template,) = zabbix.ask("template.get", filter={"host": "Consometers collective"})
    group = zabbix.ask("hostgroup.create", name="Collectives")["groupids"][0]
    async with Metrics(watch).listening("127.0.0.1", 0) as port:
        made = zabbix.ask(
            "host.create",
            host="lorient",
            groups=[{"groupid": group}],
            templates=[{"templateid": template["templateid"]}],
            macros=[
                {"macro": "{$CONSOMETERS.URL}", "value": f"http://127.0.0.1:{port}/metrics"},
                {"macro": "{$CONSOMETERS.INTERVAL}", "value": "1s"},
                {"macro": "{$CONSOMETERS.PUBLISHED.MOST}", "value": "1s"},
                {"macro": "{$CONSOMETERS.SILENCE.MOST}", "value": "30s"},
            ],
        )
        yield made["hostids"][0]


def items(zabbix: Zabbix, host: str) -> list[dict[str, Any]]:
    monitored: list[dict[str, Any]] = zabbix.ask("item.get", hostids=host, output="extend")
    return monitored


async def once(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.5)


async def test_every_figure_arrives_under_its_title(
    zabbix: Zabbix, host: str, watch: Watch
) -> None:
    health = await watch.health()
    assert health.database is not None
    assert health.database.latest is not None
    expected = {
        (metric.name, label): value for metric in HEALTH for label, value in metric.values(health)
    }
    for metric in PUBLISHED:
        expected |= {
            (metric.name, label): value for label, value in metric.values(health.database.latest)
        }

    def all_there() -> bool:
        received = [item for item in items(zabbix, host) if item["key_"] != "consometers.metrics"]
        return len(received) == len(expected) and all(
            entry["lastclock"] != "0" for entry in received
        )

    with suppress(TimeoutError):
        await once(all_there)
    (rule,) = zabbix.ask("discoveryrule.get", hostids=host, output="extend")
    assert rule["error"] == ""
    received = {item["name"]: item for item in items(zabbix, host)}
    assert not [(name, entry["error"]) for name, entry in received.items() if entry["error"]]
    assert [name for name, entry in received.items() if entry["lastclock"] == "0"] == ["Metrics"]
    assert len(received) == len(expected) + 1
    assert received["Version"]["lastvalue"] == VERSION
    assert received["Problem: not on the network"]["lastvalue"] == "1"
    assert received["Problem: the database cannot be used"]["lastvalue"] == "0"
    assert float(received["Power: solar production"]["lastvalue"]) == 6_000
    assert int(received["Published until"]["lastvalue"]) == NOW.replace(minute=0).timestamp()
    figures, words = table("figures", "en"), table("words", "en")
    for (name, subject), value in expected.items():
        if name in figures:
            title, unit, factor = figures[name]
            word = words.get(f"{name} {subject}") or words.get(subject)
            item = received[f"{title}: {word}" if word else title]
            assert item["units"] == unit
            if not name.startswith("process_"):
                assert float(item["lastvalue"]) == pytest.approx(float(value) * factor)
    assert received["Guests"]["description"] == "Members without an active permission."


def triggers(zabbix: Zabbix, host: str) -> dict[str, str]:
    rows = zabbix.ask("trigger.get", hostids=host, output="extend")
    return {row["description"]: row["error"] or row["value"] for row in rows}


async def test_triggers_report_problems(zabbix: Zabbix, host: str) -> None:
    wrong = {"Not on the network": "1", "No new sum is published": "1"}
    await once(lambda: wrong.items() <= triggers(zabbix, host).items())
    shown = triggers(zabbix, host)
    del shown["The disk is nearly full"]  # of the machine that runs the tests
    assert shown == wrong | {
        "A certificate expires soon": "0",
        "No recent backup": "0",
        "No recent off-site copy": "0",
        "No recent test restore": "0",
        "The node does not answer": "0",
        "The database cannot be used": "0",
        "Many homes do not report": "0",
        "The witness does not answer": "0",
        "This witness was set back": "0",
    }


async def test_a_trigger_reports_a_silent_node(zabbix: Zabbix, host: str) -> None:
    (url,) = zabbix.ask("usermacro.get", hostids=host, filter={"macro": "{$CONSOMETERS.URL}"})
    zabbix.ask("usermacro.update", hostmacroid=url["hostmacroid"], value="http://127.0.0.1:1/")
    await once(lambda: triggers(zabbix, host)["The node does not answer"] == "1")
