"""The metrics for Prometheus: valid text, and nothing about any person."""

from pathlib import Path
import re
from typing import Final

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
import pytest
from sqlalchemy import select

from consometers_node.collective.monitoring.metrics import ALL
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberGroupRow, MemberRow
from testing.collectives.members import changing, join
from testing.collectives.watched import VERSION, metrics_of, serving, watch_of
from testing.pages.cooperative import fill
from testing.pages.town import ReleasedTown, settings

DOCS: Final = Path(__file__).parents[3] / "docs"
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
async def town(file: Store, tmp_path: Path, socket_enabled: None) -> ReleasedTown:
    return ReleasedTown(file, settings(tmp_path))


async def test_a_collective_exports_each_metric(town: ReleasedTown) -> None:
    await fill(town)
    text, kind = await metrics_of(watch_of(town))
    assert kind.startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in plain(text)}
    never = {
        "consometers_commits_last_seconds",
        "consometers_closings_last_seconds",
        "consometers_closing_timestamp_seconds",
    }
    for metric in ALL:
        # The town is nobody's witness.
        if metric.name in never or metric.name.startswith("consometers_witness_"):
            continue
        name = f"{metric.name}_info" if metric.name == "consometers_node" else metric.name
        family = families.pop(name, None) or families.pop(name.removesuffix("_total"))
        assert family.documentation == metric.help.say("en")
        assert family.type == ("counter" if metric.name.endswith("_total") else "gauge")
        if metric.label is not None:
            labels = {sample.labels[metric.label.name] for sample in family.samples}
            assert labels == set(metric.label.words)
    assert families == {}
    assert f'consometers_node_info{{version="{VERSION}"}} 1.0' in text
    assert 'consometers_published_power_watts{direction="production"} 6000.0' in text
    assert 'consometers_problem{kind="network"} 1.0' in text
    assert 'consometers_problem{kind="database"} 0.0' in text


async def test_openmetrics_is_served_on_request(town: ReleasedTown) -> None:
    await fill(town)
    text, kind = await metrics_of(watch_of(town), OPENMETRICS)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in openmetrics(text)}  # type: ignore[no-untyped-call]
    assert families["consometers_node"].type == "info"
    assert families["consometers_messages"].type == "counter"
    assert families["consometers_published_members"].samples[0].value == 37
    assert text.endswith("# EOF\n")


async def test_node_without_sums_exports_the_other_metrics(town: ReleasedTown) -> None:
    text, _ = await metrics_of(watch_of(town))
    assert "consometers_published" not in text
    assert 'consometers_members{kind="home"} 0.0' in text


async def test_metrics_identify_no_member(town: ReleasedTown) -> None:
    await fill(town)
    text, _ = await metrics_of(watch_of(town))
    async with town.store.reading() as connection:
        members = (await connection.execute(select(MemberRow.__table__))).all()
        groups = (await connection.execute(select(MemberGroupRow.name))).scalars().all()
    names = [
        str(name)
        for member in members
        for name in (member.pseudonym, member.jid, member.name)
        if name
    ]
    assert len(names) > 80
    for name in [*names, *groups, "@", town.settings.name, town.settings.identifier]:
        assert not name or name not in text


async def test_metrics_server_serves_nothing_else(town: ReleasedTown) -> None:
    async with serving(watch_of(town)) as (session, root):
        for path in ("/", "/administration/", "/data", "/metrics/x"):
            async with session.get(root + path) as response:
                assert response.status == 404
        async with session.post(f"{root}/metrics") as response:
            assert response.status == 405


@pytest.mark.parametrize("page", ["operators.md", "operators.fr.md"])
async def test_the_rule_of_silence_does_not_count_members_that_have_not_begun(
    town: ReleasedTown, page: str
) -> None:
    async with changing(town.store) as (connection, _):
        for name in ("a", "b", "c"):
            await join(connection, name)
    text, _ = await metrics_of(watch_of(town))
    homes = {
        sample.name: sample.value
        for family in plain(text)
        for sample in family.samples
        if sample.labels == {"kind": "home"}
    }
    assert (homes["consometers_members"], homes["consometers_members_begun"]) == (3, 0)
    match = re.search(
        r"alert: ManyHomesAreSilent\n +"
        r'expr: (\w+)\{kind="home"\} < ([\d.]+) \* (\w+)\{kind="home"\}',
        (DOCS / page).read_text(encoding="utf-8"),
    )
    assert match is not None
    delivering, least, members = match.groups()
    assert homes[delivering] >= float(least) * homes[members]
