"""The ready dashboard in Home Assistant: home, panels, a part of others, collective, as seen.

A person adds it from among those that are offered. Meter, inverter and Home Assistant are real; the
node is a toy that answers the sums of 37 invented homes. Leaves pictures in `.artifacts/`;
`script/test tests/e2e/home/test_dashboard.py --pictures=docs/images` renews those of the
documentation.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise
from math import floor
from pathlib import Path
import sqlite3
from typing import Any, Final
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Page, expect
import pytest

from consometers_node.figures import FIGURES, Energies
from consometers_tic_virtual.contract import Option
from consometers_tic_virtual.world import Energy
from custom_components.consometers.dashboard.words import words_of
from custom_components.consometers.node.computed.simulation import nearest
from demo.browser import CHROMIUM, Visitor, person
from demo.hass import Api, Hass, Language
from demo.school.furnishing import (
    EntityIds,
    add_balance,
    add_inverter,
    entities_with,
    entry_with,
    give_prices,
    ready_dashboard,
    show_on_energy_dashboard,
)
from demo.school.history import HOUR, Hour, hours, import_history
from testing.checkout import ROOT
from testing.integration.toy_node import TOKEN, ToyNode, challenge, collective, plant, sums
from testing.programs.looks import LOOKS, VIEWPORTS, Look, open_page
from testing.programs.metered_home import DOMAIN, import_energy
from testing.programs.solar_home import (
    BALANCE,
    INVERTER,
    METER,
    NOON,
    SolarHome,
    add_the_meter,
    living,
)
from testing.waiting import becomes, eventually

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")

NAME: Final = "Kersabiec Solaire"
TITLE: Final = {"en": "My energy", "fr": "Mon énergie"}
PATH: Final = {"en": "my-energy", "fr": "mon-energie"}
PLANT: Final = "École de Kermelo"
PART: Final = "consometers:part_kermelo"
SIMULATED: Final = "consometers:simulated_1"
HEADINGS: Final = {
    "en": [
        *("My home", "My panels", f"My share: {PLANT}", "Neighbours’ sun (simulation)"),
        NAME,
    ],
    "fr": [
        *("Mon foyer", "Mes panneaux", f"Ma part : {PLANT}", "Soleil des voisins (simulation)"),
        NAME,
    ],
}
ARTIFACTS: Final = ROOT / ".artifacts"
DAYS_SHOWN, DAYS_PICTURED = 9, 400
OFFERED: Final = "Consometers"
GRAPH: Final = "hui-statistics-graph-card"
TILE: Final = "hui-tile-card"
SENTENCE: Final = "hui-markdown-card"
"""It stands in place of a graph until there is something to draw: for powers, five minutes."""
CARDS_NOW: Final = {f"{GRAPH}, {SENTENCE}": 10, "hui-statistic-card": 8, TILE: 24}
FIRST_FIGURES_MS: Final = 420_000
FIVE_MINUTES_S: Final = 300
CARDS_OF_MONTHS: Final = {GRAPH: 6}
KWH_PRICE: Final = 0.2
LARGEST_PICTURE_BYTES: Final = 300_000

type Flow = Callable[[Energy], int]
OF_HOME: Final[Mapping[str, Flow]] = {
    "production": lambda count: count.production_wh,
    "injected": lambda count: count.injected_wh,
    "drawn": lambda count: count.drawn_wh,
    "self_consumed": lambda count: count.production_wh - count.injected_wh,
}
OF_COLLECTIVE: Final[Mapping[str, Flow]] = {
    # Nine of 37 have panels as this home has; roofs of citizens inject as much as twenty of them.
    "consumption": lambda count: 9 * count.drawn_wh + 28 * _used(count),
    "injection": lambda count: 4 * count.injected_wh + 20 * count.production_wh,
    "production": lambda count: 29 * count.production_wh,
}


@dataclass(frozen=True, kw_only=True)
class Household:
    """Where it is, the entities of its balance, and the hours before."""

    zone: ZoneInfo
    balance: EntityIds
    past: Sequence[Hour]


@asynccontextmanager
async def household(
    hass: Hass, port: Path, language: Language, *, documented: bool
) -> AsyncIterator[Household]:
    """Have a meter, panels, their balance and a node, in a home where it is early afternoon.

    For the documentation the balance takes its past along by itself, which takes ten minutes.
    """
    zone = _afternoon()
    async with ToyNode() as node, living(hass, port, 1.0, Option.HC) as home:
        await hass.api.command("config/core/update", time_zone=zone.key)
        await add_the_meter(home, language)
        await _add_inverter(home)
        past = _past(home, DAYS_PICTURED if documented else DAYS_SHOWN)
        if documented:
            await import_history(hass.api, await home.entities(METER, INVERTER), past)
        await _give_prices(home)
        await _add_balance(home)
        balance = await home.entities(BALANCE)
        if documented:
            await _day_is_known(hass.api, balance)
            past = past[1:]
        else:
            for key, flow in OF_HOME.items():
                await _import(hass.api, balance[key], past, flow)
        await _import_amounts(hass.api, balance, past)
        for quantity, flow in OF_COLLECTIVE.items():
            await _import(hass.api, f"{DOMAIN}:collective_1_{quantity}", past, flow)
        await _import(hass.api, PART, past, _part)
        # The recorder writes one series after the other.
        rows = partial(hass.api.statistics, PART, "hour", past[0].start)
        await eventually(rows, lambda rows: len(rows) == len(past))
        node.answer["collectives"] = [_collective(past, zone)]
        step = await hass.api.start_flow(DOMAIN, choice="node")
        step = await hass.api.submit(step, url=node.url, token=TOKEN)
        await entities_with(hass.api, step["result"]["entry_id"], {"1_consumption_power"})
        await becomes(partial(_simulated, hass.api, past[0].start), _expected(past))
        yield Household(zone=zone, balance=balance, past=past)
        await hass.api.command("energy/save_prefs", energy_sources=[])


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
async def test_a_person_adds_the_dashboard_and_sees_home_panels_and_collective(
    browser: Browser, hass: Hass, tmp_path: Path, pictures: Path, language: Language
) -> None:
    documented = pictures != ARTIFACTS
    async with household(hass, tmp_path / "meter", language, documented=documented) as home:
        shared: dict[str, Any] = {"timezone_id": home.zone.key}
        context = await person(browser, hass.url, language, **shared)
        visitor = await Visitor(await context.new_page()).log_in()
        await _add_it(visitor, pictures, language)
        if documented:
            await _powers_are_known(hass.api, home.balance)
            await _graphs_are_drawn(visitor, language)
            _write_five_minutes(hass, home)
            await _look(visitor, pictures, language)
        shared["storage_state"] = await context.storage_state()
        for look in LOOKS:
            if look.language == language:
                other = await open_page(browser, hass.url, look, **shared)
                await _look(Visitor(other), ARTIFACTS, f"{look}")
            else:
                await _reads(await open_page(browser, hass.url, look, **shared), language, look)
    for dashboard in await hass.api.command("lovelace/dashboards/list"):
        await hass.api.command("lovelace/dashboards/delete", dashboard_id=dashboard["id"])
    assert hass.problems() == []
    for picture in pictures.glob(f"dashboard*.{language}.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_dashboard_of_an_empty_home_explains_how_to_begin(
    browser: Browser, hass: Hass, language: Language
) -> None:
    await hass.api.set_language(language)
    await hass.api.command("energy/save_prefs", energy_sources=[])
    async with ToyNode() as node:
        # Home Assistant loads an integration with its first entry: this node has nothing to show.
        node.answer["collectives"] = []
        step = await hass.api.start_flow(DOMAIN, choice="node")
        step = await hass.api.submit(step, url=node.url, token=TOKEN)
        dashboard = await ready_dashboard(hass.api, language)
        context = await person(browser, hass.url, language, viewport=VIEWPORTS["phone"])
        visitor = await Visitor(await context.new_page()).log_in()
        await visitor.page.goto(f"{dashboard}/now")
        sentence = visitor.page.locator(SENTENCE)
        await expect(sentence).to_contain_text(words_of(language)["nothing"].partition("**")[0])
        await expect(visitor.page.locator(f"hui-error-card, {TILE}, {GRAPH}")).to_have_count(0)
        await visitor.whole_picture(ARTIFACTS / f"dashboard-empty.{language}.png")
        await hass.api.remove(step["result"]["entry_id"])
    for each in await hass.api.command("lovelace/dashboards/list"):
        await hass.api.command("lovelace/dashboards/delete", dashboard_id=each["id"])
    assert hass.problems() == []


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
async def test_missing_sums_are_named_and_unreceived_ones_left_out(
    browser: Browser, hass: Hass, language: Language
) -> None:
    words = words_of(language)
    await hass.api.set_language(language)
    dashboard = await ready_dashboard(hass.api, language)
    context = await person(browser, hass.url, language)
    visitor = await Visitor(await context.new_page()).log_in()
    async with ToyNode() as node:
        node.answer["collectives"] = [_quiet(acknowledged_until=None)]
        step = await hass.api.start_flow(DOMAIN, choice="node")
        step = await hass.api.submit(step, url=node.url, token=TOKEN)
        entry = step["result"]["entry_id"]
        await entities_with(hass.api, entry, {"1_consumption_power"})
        page = visitor.page
        await page.goto(f"{dashboard}/now")
        await visitor.shows("hui-sections-view hui-heading-card")
        notice = page.locator(SENTENCE).filter(has=page.get_by_role("link"))
        await expect(notice).to_contain_text(words["not_shown"].partition("{")[0])
        await expect(notice.get_by_role("link")).to_have_count(1)
        received = page.locator("hui-tile-card").get_by_text(words["received"], exact=True)
        await expect(received).to_be_hidden()
        await visitor.whole_picture(ARTIFACTS / f"dashboard-quiet.{language}.png")
        node.change(collectives=[_quiet(acknowledged_until="2026-11-24T18:00:00+00:00")])
        await expect(received).to_be_visible()
        await hass.api.remove(entry)
    assert hass.problems() == []


async def _add_it(visitor: Visitor, pictures: Path, language: Language) -> None:
    """Add the dashboard from among those that Home Assistant offers."""
    page = visitor.page
    await page.goto("/config/lovelace/dashboards")
    await page.locator("ha-config-lovelace-dashboards ha-button[slot=fab]").click()
    offered = page.locator("ha-dialog-new-dashboard dashboard-card").filter(has_text=OFFERED)
    await offered.scroll_into_view_if_needed()
    await visitor.picture(pictures / f"dashboard-add.{language}.png")
    await offered.click()
    form = page.locator("dialog-lovelace-dashboard-detail")
    await form.locator("ha-form").wait_for()
    await form.locator("ha-button[slot=primaryAction]").click()
    await form.wait_for(state="hidden")
    # A dialog that closes goes back in the history, which would interrupt a navigation.
    await visitor.shows("ha-config-lovelace-dashboards")


async def _look(visitor: Visitor, pictures: Path, name: str) -> None:
    """Check both pages: each card shows its data."""
    page, language = visitor.page, "fr" if name.endswith("fr") else "en"
    headings = page.locator("hui-heading-card")
    for path, cards in (("now", CARDS_NOW), ("months", CARDS_OF_MONTHS)):
        await page.goto(f"/{PATH[language]}/{path}")
        await visitor.shows("hui-sections-view hui-heading-card")
        for heading in HEADINGS[language]:
            await expect(headings.get_by_text(heading, exact=True).first).to_be_visible()
        await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)
        for card, count in cards.items():
            if card == TILE:
                # Some are there once there is something to say: a next surplus, rates.
                await expect(page.locator(card).nth(count - 1)).to_be_visible()
            else:
                await expect(page.locator(card)).to_have_count(count)
        await visitor.whole_picture(pictures / f"dashboard-{path}.{name}.png")


async def _reads(page: Page, created_in: Language, look: Look) -> None:
    """Check that another person at home reads the dashboard in their own language."""
    await page.goto(f"/{PATH[created_in]}/now")
    headings = page.locator("hui-heading-card")
    await expect(headings.get_by_text(HEADINGS[look.language][0], exact=True).first).to_be_visible()
    if look.device == "desk":
        panel = page.locator(f"#sidebar-panel-{PATH[created_in]}")
        title = panel.get_by_text(TITLE[look.language], exact=True)
        await expect(title).to_be_visible()


async def _powers_are_known(api: Api, balance: EntityIds) -> None:
    """Wait for the powers that are derived from registers, which takes a minute."""

    async def used() -> str:
        return (await api.state(balance["consumed_power"]))["state"]

    await eventually(used, str.isdecimal, within_s=180)


async def _graphs_are_drawn(visitor: Visitor, language: Language) -> None:
    """Wait for the first figures: the simulation's sentence stays, the best time and the price."""
    await visitor.page.goto(f"/{PATH[language]}/now")
    await visitor.shows("hui-sections-view hui-heading-card")
    await expect(visitor.page.locator(SENTENCE)).to_have_count(3, timeout=FIRST_FIGURES_MS)


async def _day_is_known(api: Api, balance: EntityIds) -> None:
    """Wait for the rates of the whole day, which come with the past."""

    async def rate() -> str:
        return (await api.state(balance["self_sufficiency_today"]))["state"]

    await eventually(rate, lambda state: state.replace(".", "").isdecimal(), within_s=900)


def _write_five_minutes(hass: Hass, home: Household) -> None:
    """Write the powers of the day before, as the recorder would have counted them."""
    rows = [
        (created, hour.start.timestamp() + FIVE_MINUTES_S * n, sixth)
        for hour in home.past[-24:]
        for n, sixth in enumerate(each for each in hour.sixths for _ in range(2))
        for created in (hour.start.timestamp() + HOUR.total_seconds(),)
    ]
    with closing(sqlite3.connect(hass.folder / "home-assistant_v2.db", timeout=60)) as database:
        for key, flow in (("consumed_power", _used), ("production_power", OF_HOME["production"])):
            database.executemany(
                "INSERT OR IGNORE INTO statistics_short_term"
                " (metadata_id, created_ts, start_ts, mean, min, max)"
                " SELECT id, ?, ?, ?, ?, ? FROM statistics_meta WHERE statistic_id = ?",
                [
                    (created, start, *3 * [6 * flow(sixth)], home.balance[key])
                    for created, start, sixth in rows
                ],
            )
        database.commit()


async def _add_inverter(home: SolarHome) -> None:
    api, inverter = home.hass.api, home.inverter
    await entities_with(api, await add_inverter(api, inverter.host, inverter.port, 1), INVERTER)


async def _give_prices(home: SolarHome) -> None:
    """Have the Energy dashboard count what the grid's energy costs."""
    await show_on_energy_dashboard(home.hass.api, await home.entities(METER, INVERTER))
    entry = await entry_with(home.hass.api, METER)
    assert entry is not None
    await give_prices(home.hass.api, entry)
    await entities_with(home.hass.api, entry, METER | {"price"})


async def _import_amounts(api: Api, balance: EntityIds, past: Sequence[Hour]) -> None:
    """Write what each hour of the past cost, and what the sun saved."""

    async def costs() -> list[str]:
        return list((await api.command("energy/info"))["cost_sensors"].values())

    (cost,) = await eventually(costs, bool)
    for statistic, flow in ((cost, "drawn"), (balance["saved"], "self_consumed")):
        amounts = [sum(map(OF_HOME[flow], hour.sixths)) * KWH_PRICE / 1_000 for hour in past]
        total = sum(amounts)
        about = {"statistic_id": statistic, "mean_type": 0, "has_sum": True}
        unit = {"unit_of_measurement": "EUR", "unit_class": None}
        await api.import_statistics(
            {**about, **unit},
            [
                {"start": hour.start.isoformat(), "state": 0.0, "sum": amount - total}
                for hour, amount in zip(past, accumulate(amounts), strict=True)
            ],
        )


async def _add_balance(home: SolarHome) -> None:
    api, ids = home.hass.api, await home.entities(METER, INVERTER)
    balance = await add_balance(
        api,
        "surplus",
        production_energy=[ids["energy"]],
        drawn_energy=ids["energy_drawn"],
        injected_energy=ids["energy_injected"],
        production_power=[ids["power"]],
        drawn_power=ids["active_power_drawn"],
        injected_power=ids["active_power_injected"],
    )
    await entities_with(api, balance, BALANCE | {"saved"})


def _afternoon() -> ZoneInfo:
    """Return a time zone where it is the hour of the meter, whenever this runs."""
    ahead = (NOON.hour - datetime.now(UTC).hour + 11) % 24 - 11
    return ZoneInfo(f"Etc/GMT{-ahead:+d}")


def _past(home: SolarHome, days: int) -> list[Hour]:
    """The days before the meter's time, as if this hour had been its own.

    So its registers go on from where these hours end.
    """
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    before = hours(NOON - timedelta(days=days), NOON, home.meter.linky)
    return [replace(hour, start=hour.start + (now - NOON)) for hour in before]


async def _import(api: Api, statistic: str, past: Sequence[Hour], flow: Flow) -> None:
    """Write a past of energies that ends where the present begins."""
    counts = [sum(map(flow, hour.sixths)) for hour in past]
    sums = accumulate(counts, initial=0 if ":" in statistic else -sum(counts))
    next(sums)
    await import_energy(
        api, statistic, {hour.start: wh for hour, wh in zip(past, sums, strict=True)}
    )


def _collective(past: Sequence[Hour], zone: ZoneInfo) -> dict[str, Any]:
    """Return the node's answer for the last of these hours, and its day."""
    last = past[-1]
    until = (last.start + HOUR).isoformat()
    return collective(
        name=NAME,
        acknowledged_until=until,
        waiting=0,
        challenge=challenge(),
        plants=[
            plant(
                "kermelo",
                name=PLANT,
                statistic=PART,
                last={
                    "start": last.start.isoformat(),
                    "end": until,
                    "production": sum(map(_part, last.sixths)),
                },
                today={
                    "date": last.start.astimezone(zone).date().isoformat(),
                    "until": until,
                    "production": sum(_part(n) for hour in _today(past, zone) for n in hour.sixths),
                },
                month={**plant()["month"], "coverage": 0.38},
            )
        ],
        sums=sums(
            last={
                "start": last.start.isoformat(),
                "end": until,
                **_sums(OF_COLLECTIVE, [last]),
                "members": 37,
            },
            today={
                "date": last.start.astimezone(zone).date().isoformat(),
                "until": until,
                "figures": _figures(_today(past, zone)),
            },
            prices={"local": 15.5, "grid": 21.0},
        ),
    )


async def _simulated(api: Api, start: datetime) -> dict[datetime, float]:
    """Return what the home would have received in each hour, as Home Assistant keeps it."""
    rows = await api.statistics(SIMULATED, "hour", start)
    sums = [0.0, *(row["sum"] or 0.0 for row in rows)]
    starts = [datetime.fromtimestamp(row["start"] / 1_000, UTC) for row in rows]
    return dict(zip(starts, (nearest(b - a) for a, b in pairwise(sums)), strict=True))


def _expected(past: Sequence[Hour]) -> dict[datetime, float]:
    """Return the same in proportion to use; of the first hour, the home's sum is not known."""
    flows = OF_COLLECTIVE["injection"], OF_COLLECTIVE["consumption"], OF_HOME["drawn"]
    received = {}
    for hour in past[1:]:
        injected, drawn, own = (sum(map(flow, hour.sixths)) for flow in flows)
        part = min(injected * own / drawn, own) if drawn else 0.0
        received[hour.start.astimezone(UTC)] = floor(part * 16) / 16
    return received


def _figures(past: Sequence[Hour]) -> dict[str, Any]:
    """Return the node's figures of these hours."""
    sums_of_hours = [_sums(OF_COLLECTIVE, [hour]) for hour in past]
    shared = [min(each["injection"], each["consumption"]) for each in sums_of_hours]
    energies = Energies(**_sums(OF_COLLECTIVE, past), shared=sum(shared))
    values = {key: figure.value(energies) for key, figure in FIGURES.items()}
    return {
        key.replace("-", "_"): {
            "value": float(value) if isinstance(value, Fraction) else value,
            "hours": len(past),
        }
        for key, value in values.items()
    }


def _part(count: Energy) -> int:
    """What nine of 180 shares made of panels three times those of this home."""
    return 3 * count.production_wh * 9 // 180


def _quiet(**changes: Any) -> dict[str, Any]:
    """Return the node's answer for a collective in which few have panels."""
    none = {"production": None, "injection": None}
    quiet = {each: {**sums()[each], **none} for each in ("last", "statistics")}
    quiet["today"] = sums()["today"]
    quiet["today"]["figures"] = {
        key: figure if key == "consumption" else {"value": None, "hours": 0}
        for key, figure in quiet["today"]["figures"].items()
    }
    return collective(name=NAME, waiting=0, sums=sums(**quiet), **changes)


def _used(count: Energy) -> int:
    return count.drawn_wh + count.production_wh - count.injected_wh


def _today(past: Sequence[Hour], zone: ZoneInfo) -> Sequence[Hour]:
    """Return the hours of the day of the last one."""
    today = past[-1].start.astimezone(zone).date()
    return [hour for hour in past if hour.start.astimezone(zone).date() == today]


def _sums(flows: Mapping[str, Flow], among: Sequence[Hour]) -> dict[str, int]:
    return {
        name: sum(flow(sixth) for hour in among for sixth in hour.sixths)
        for name, flow in flows.items()
    }
