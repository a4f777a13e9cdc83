"""A home with panels in Home Assistant: real hass, a real serial port, real Modbus TCP, a browser.

The panels' surplus is injected: one Linky counts both ways, and the inverter behind it agrees with
it. First a person adds them, then time flies. Leaves pictures in `.artifacts/`;
`script/test tests/e2e/test_solar.py --pictures=docs/images` renews those of the documentation.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from playwright.async_api import expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM, Visitor, open_browser
from demo.furnishing import (
    EntityIds,
    add_balance,
    add_inverter,
    add_meter,
    device_page,
    entity_ids,
    entry_with,
    known_entities,
    net_power,
    show_on_energy_dashboard,
    tidy,
)
from demo.hass import Hass, Language
from demo.hass.folder import ROOT
from demo.history import Hour, hours, import_history
from demo.inverter import PROFILES, Inverter, VirtualInverter
from demo.meter import Contract, Linky, VirtualLinky
from demo.world import Energy, World
from tests.e2e.home import DOMAIN
from tests.e2e.node import Node
from tests.e2e.waiting import eventually

PARIS: Final = ZoneInfo("Europe/Paris")
NOON: Final = datetime(2026, 6, 17, 14, tzinfo=PARIS)
"""The meter's and the inverter's time at the beginning: they make more than the home consumes."""
SPEED: Final = 6.0
"""How fast time flies."""
MINUTES: Final = 5
"""So long, of their time, meter and inverter are compared."""
LAG_S: Final = round(10 * SPEED)
"""At most so old, in their time, is what Home Assistant shows."""
EVERY_FRAME: Final = {
    "power_interval": 0,
    "register_interval": 0,
    "silence": 10,
    "raw_labels": False,
}
DAYS_SHOWN: Final = 3
ARTIFACTS: Final = ROOT / ".artifacts"
"""Where pictures are left that are only looked at."""
LARGEST_PICTURE_BYTES: Final = 300_000

METER: Final = frozenset(
    {"energy_drawn", "energy_injected", "active_power_drawn", "active_power_injected"}
)
INVERTER: Final = frozenset({"energy", "power"})
BALANCE: Final = frozenset({"production"})


@dataclass(kw_only=True)
class Home:
    """A Home Assistant, and what stands in the home that it reads."""

    hass: Hass
    meter: VirtualLinky
    inverter: VirtualInverter

    @property
    def second(self) -> int:
        """The time of meter and inverter."""
        return self.inverter.second

    @property
    def world(self) -> World:
        return self.meter.linky.world

    async def entities(self, *wanted: frozenset[str]) -> EntityIds:
        """The entity ids of those entries that have such entities."""
        found: dict[str, str] = {}
        for keys in wanted:
            entry_id = await entry_with(self.hass.api, keys)
            assert entry_id is not None
            found |= await entity_ids(self.hass.api, entry_id)
        return found

    async def shown(self, entity_id: str) -> float | None:
        """What an entity shows, in Wh or W."""
        state = await self.hass.api.state(entity_id)
        if state["state"] in ("unknown", "unavailable"):
            return None
        scale = {"kWh": 1_000, "MWh": 1_000_000}
        return float(state["state"]) * scale.get(state["attributes"]["unit_of_measurement"], 1)

    async def samples(self) -> AsyncIterator[int]:
        """Tell the time of meter and inverter, now and then over some minutes."""
        until = self.second + 60 * MINUTES
        while self.second < until:
            yield self.second
            await asyncio.sleep(3)


@asynccontextmanager
async def living(hass: Hass, port: Path, speed: float) -> AsyncIterator[Home]:
    """Have a meter and the inverter behind it, at the same moment of the same day in June.

    In the end Home Assistant forgets them, before they are gone.
    """
    linky = Linky(World(), Contract(producer=True))
    virtual = Inverter(PROFILES["home"], load=linky.load)
    start = NOON.timestamp()
    async with (
        VirtualInverter(virtual, start=start, speed=speed) as inverter,
        VirtualLinky(linky, link=port, start=start, speed=speed) as meter,
    ):
        inverter.strangers()
        inverter.at = datetime.fromtimestamp(meter.line.at, UTC)
        try:
            yield Home(hass=hass, meter=meter, inverter=inverter)
        finally:
            for entry in await hass.api.entries(DOMAIN):
                await hass.api.remove(entry["entry_id"])


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ports")


@pytest_asyncio.fixture(scope="module")
async def home(hass: Hass, ports: Path) -> AsyncIterator[Home]:
    """A home in which time flies. All that can be known of it was added, and is read often."""
    async with living(hass, ports / "fast", SPEED) as home:
        await _add_meter(home, "en")
        api, inverter = hass.api, home.inverter
        entry_id = await add_inverter(api, inverter.host, inverter.port, 1)
        await known_entities(api, entry_id, INVERTER)
        ids = await home.entities(METER, INVERTER)
        await add_balance(
            api,
            "surplus",
            production_energy=[ids["energy"]],
            drawn_energy=ids["energy_drawn"],
            injected_energy=ids["energy_injected"],
        )
        await show_on_energy_dashboard(api, ids)
        await _read_often(home)
        yield home


@pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_person_adds_an_inverter_and_the_balance(
    hass: Hass, ports: Path, pictures: Path, language: Language
) -> None:
    async with (
        living(hass, ports / language, 1.0) as home,
        open_browser(hass.url, language) as visitor,
    ):
        await _add_meter(home, language)
        try:
            await _add_inverter(visitor, home, language)
            await _add_balance(visitor, home, language)
            await _look(visitor, home, pictures, language)
        except BaseException:
            await visitor.picture(ARTIFACTS / f"failure.{language}.png")
            raise
    for picture in pictures.glob(f"*.{language}.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


async def test_entities_are_what_meter_and_inverter_show_while_time_flies(home: Home) -> None:
    """The Linky's registers and those of the inverter's own meter are of one grid connection."""
    ids, linky = await home.entities(METER, INVERTER), home.meter.linky
    made = home.inverter.inverters[0].measures
    registers: Mapping[str, Callable[[int], int]] = {
        ids["energy_drawn"]: lambda second: linky.registers(second).drawn_wh,
        ids["meter_1_imported"]: lambda second: linky.registers(second).drawn_wh,
        ids["energy_injected"]: lambda second: linky.registers(second).injected_wh,
        ids["meter_1_exported"]: lambda second: linky.registers(second).injected_wh,
        ids["energy"]: made.energy_wh,
    }
    async for second in home.samples():
        for entity_id, wh in registers.items():
            shown = await home.shown(entity_id)
            assert shown is not None
            assert wh(second - LAG_S) <= shown <= wh(home.second)
        power_w = await home.shown(ids["power"])
        assert power_w in {made.power_w(at) for at in range(second - LAG_S, home.second + 1)}
        assert (await home.hass.api.state(ids["operating"]))["state"] == "running"


async def test_the_balance_is_what_flows_in_the_home(home: Home) -> None:
    ids, energy_at = await home.entities(BALANCE), home.world.energy_at
    flows: Mapping[str, Callable[[Energy], int]] = {
        "production": lambda energy: energy.production_wh,
        "injected": lambda energy: energy.injected_wh,
        "drawn": lambda energy: energy.drawn_wh,
    }

    async def sums() -> dict[str, float]:
        shown = {key: await home.shown(ids[key]) for key in (*flows, "self_consumed", "consumed")}
        return {key: wh for key, wh in shown.items() if wh is not None}

    began = home.second
    first = await eventually(sums, lambda found: found.keys() >= flows.keys())
    begun = home.second
    async for second in home.samples():
        now = await sums()
        for key, wh in flows.items():
            least = wh(energy_at(second - LAG_S)) - wh(energy_at(begun))
            most = wh(energy_at(home.second)) - wh(energy_at(began - LAG_S))
            assert least - 1 <= now[key] - first[key] <= most + 1, key
        own_wh = now["production"] - now["injected"]
        # What was once consumed stays so, even if it was a reading that came late.
        late_wh = energy_at(second).production_wh - energy_at(second - LAG_S).production_wh
        assert own_wh - 1 <= now["self_consumed"] <= own_wh + late_wh + 1
        assert now["consumed"] == pytest.approx(now["self_consumed"] + now["drawn"], abs=1)
    assert 0 < (await home.shown(ids["self_consumption_today"]) or 0.0) < 100
    assert await home.shown(ids["self_sufficiency_today"]) == pytest.approx(100, abs=1)


async def test_a_node_proposes_what_is_injected_and_what_is_produced(
    home: Home, tmp_path: Path
) -> None:
    ids, node = await home.entities(METER, INVERTER), Node(tmp_path)
    token = await home.hass.api.command(
        "auth/long_lived_access_token", client_name="node", lifespan=1
    )
    await node.do("home", home.hass.url, answer=token)
    number = await node.be_asked(
        "coop@two.test", "roof", "consumption", "injection", "production", history_days=30
    )
    offered = json.loads(await node.do("grant", number, "--json"))["offered"]
    assert {(one["statistic"], one["direction"]) for one in offered} >= {
        (ids["energy_drawn"], "consumption"),
        (ids["energy_injected"], "injection"),
        (ids["energy"], "production"),
    }


async def test_nothing_was_complained_of_and_no_serial_number_was_told(home: Home) -> None:
    assert home.hass.problems() == []
    assert home.inverter.inverters[0].serial not in home.hass.log_path.read_text()


async def _add_meter(home: Home, language: Language) -> None:
    """Add the meter: entities are named in the language of the home when they are made."""
    api = home.hass.api
    await tidy(api)
    await api.set_language(language)
    await known_entities(api, await add_meter(api, home.meter.port), METER)


async def _add_inverter(visitor: Visitor, home: Home, language: Language) -> None:
    said = _config(language)
    fields = said["step"]["inverter"]["data"]
    await visitor.start_flow(DOMAIN)
    await visitor.picture(ARTIFACTS / f"solar-menu.{language}.png")
    await visitor.choose(said["step"]["user"]["menu_options"]["inverter"])
    await visitor.fill(fields["host"], home.inverter.host)
    await visitor.fill(fields["port"], str(home.inverter.port))
    await visitor.fill(fields["unit_id"], "9")
    await visitor.submit()
    await expect(visitor.error).to_have_text(said["error"]["no_such_unit"])
    await visitor.picture(ARTIFACTS / f"solar-error.{language}.png")

    await visitor.fill(fields["unit_id"], "1")
    await visitor.submit()
    await visitor.step("form").get_by_text("Kersabiec Solaire").wait_for()
    await visitor.picture(ARTIFACTS / f"solar-found.{language}.png")
    await visitor.submit()
    await visitor.step("create-entry").wait_for()
    await visitor.picture(ARTIFACTS / f"solar-added.{language}.png")


async def _add_balance(visitor: Visitor, home: Home, language: Language) -> None:
    said = _config(language)
    entry_id = await entry_with(home.hass.api, INVERTER)
    assert entry_id is not None
    await known_entities(home.hass.api, entry_id, INVERTER)
    await visitor.start_flow(DOMAIN)
    await visitor.choose(said["step"]["user"]["menu_options"]["balance"])
    await visitor.picture(ARTIFACTS / f"balance-home.{language}.png")
    await visitor.submit()
    title = said["step"]["balance_sources"]["data"]["production_energy"]
    await visitor.step("form").get_by_text(title).first.wait_for()
    await visitor.picture(ARTIFACTS / f"balance-sources.{language}.png")
    await visitor.submit()
    await visitor.step("create-entry").wait_for()


async def _look(visitor: Visitor, home: Home, pictures: Path, language: Language) -> None:
    """Look at the devices, and at a whole day on the Energy dashboard."""
    api = home.hass.api
    ids = await home.entities(METER, INVERTER)
    await show_on_energy_dashboard(api, ids)
    await import_history(api, {**ids, **await net_power(api)}, _past(home))
    if pictures != ARTIFACTS:
        await _powers_are_known(home)
    for name, keys, folder in (
        ("inverter", INVERTER, ARTIFACTS),
        ("balance", BALANCE, pictures),
    ):
        entry_id = await entry_with(api, keys)
        assert entry_id is not None
        await visitor.page.goto(await device_page(api, entry_id))
        await visitor.shows("ha-device-entities-card")
        await visitor.picture(folder / f"solar-{name}.{language}.png")
    await visitor.page.goto("/energy")
    await visitor.see_yesterday()
    await visitor.picture(pictures / f"solar-energy.{language}.png")


def _past(home: Home) -> list[Hour]:
    """The days before that of the meter, as if they had been those before today."""
    midnight = NOON.replace(hour=0)
    shift = datetime.now(PARIS).date() - midnight.date()
    began = midnight - timedelta(days=DAYS_SHOWN)
    return [
        replace(hour, start=hour.start + shift) for hour in hours(home.meter.linky, began, midnight)
    ]


async def _powers_are_known(home: Home) -> None:
    """Wait for what is derived from registers, which takes a minute: for pictures."""
    ids = await home.entities(BALANCE)
    await eventually(
        lambda: home.shown(ids["consumed_power"]), lambda power: power is not None, within_s=120
    )


async def _read_often(home: Home) -> None:
    api = home.hass.api
    for keys, options in ((METER, EVERY_FRAME), (INVERTER, {"interval": 2})):
        entry_id = await entry_with(api, keys)
        assert entry_id is not None
        step = await api.start_options_flow(entry_id)
        await api.submit_options(step, **options)
        await known_entities(api, entry_id, keys)
    await asyncio.sleep(LAG_S / SPEED)


def _config(language: Language) -> dict[str, Any]:
    path = ROOT / "custom_components" / DOMAIN / "translations" / f"{language}.json"
    config = json.loads(path.read_text())["config"]
    assert isinstance(config, dict)
    return config
