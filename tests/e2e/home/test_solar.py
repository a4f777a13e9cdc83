"""A home with panels in Home Assistant: real hass, a real serial port, real Modbus TCP, a browser.

The panels' surplus is injected: one Linky counts both ways, and the inverter behind it agrees with
it. First a person adds them, then time flies. Leaves pictures in `.artifacts/`;
`script/test tests/e2e/home/test_solar.py --pictures=docs/images` renews those of the documentation.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
import json
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM, Visitor, person
from demo.hass import Hass, Language
from demo.school.furnishing import (
    add_balance,
    add_inverter,
    device_page,
    entities_with,
    entry_with,
    net_power,
    show_on_energy_dashboard,
)
from demo.school.history import import_history
from testing.checkout import ROOT
from testing.programs.metered_home import DOMAIN, EVERY_FRAME, config_words
from testing.programs.node import NodeProgram
from testing.programs.solar_home import (
    BALANCE,
    FLOWS,
    INVERTER,
    METER,
    SolarHome,
    add_the_meter,
    living,
    past,
)
from testing.waiting import eventually

SPEED: Final = 6.0
"""How fast time flies."""
NEAR_WH: Final = 2
"""Energies and their sums are whole watt-hours."""
ARTIFACTS: Final = ROOT / ".artifacts"
"""The folder for screenshots."""
LARGEST_PICTURE_BYTES: Final = 300_000


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ports")


@pytest_asyncio.fixture(scope="module")
async def home(hass: Hass, ports: Path) -> AsyncIterator[SolarHome]:
    """A home in which time flies. All that can be known of it was added, and is read often."""
    async with living(hass, ports / "fast", SPEED) as home:
        await add_the_meter(home, "en")
        api, inverter = hass.api, home.inverter
        entry_id = await add_inverter(api, inverter.host, inverter.port, 1)
        await entities_with(api, entry_id, INVERTER)
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
@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
async def test_a_person_adds_an_inverter_and_the_balance(
    browser: Browser, hass: Hass, ports: Path, pictures: Path, language: Language
) -> None:
    context = await person(browser, hass.url, language)
    visitor = await Visitor(await context.new_page()).log_in()
    async with living(hass, ports / language, 1.0) as home:
        await add_the_meter(home, language)
        try:
            await _add_inverter(visitor, home, language)
            await _import_past(home)
            await _add_balance(visitor, home, language)
            await _look(visitor, home, pictures, language)
        except BaseException:
            await visitor.picture(ARTIFACTS / f"failure.{language}.png")
            raise
    for picture in pictures.glob(f"*.{language}.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


async def test_entities_follow_meter_and_inverter(home: SolarHome) -> None:
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

    def made_since(second: int) -> Callable[[float | None], bool]:
        return lambda power_w: (
            power_w in {made.power_w(at) for at in range(second, home.second + 1)}
        )

    async for second in home.samples():
        for entity_id, wh in registers.items():
            assert await home.caught_up(entity_id, wh(second)) <= wh(home.second)
        await eventually(
            partial(home.shown, ids["power"]),
            made_since(second),
        )
        assert (await home.hass.api.state(ids["operating"]))["state"] == "running"


async def test_the_balance_matches_the_energy_that_flows_in_the_home(home: SolarHome) -> None:
    ids, energy_at = await home.entities(METER, INVERTER), home.world.energy_at
    began = home.second
    await home.caught_up(ids["energy"], home.inverter.inverters[0].measures.energy_wh(began))
    await home.caught_up(ids["energy_injected"], home.meter.linky.registers(began).injected_wh)
    first = await home.sums()
    begun = home.second

    def flowed(since: int, until: int) -> dict[str, int]:
        return {key: wh(energy_at(until)) - wh(energy_at(since)) for key, wh in FLOWS.items()}

    def flowed_until(second: int) -> Callable[[Mapping[str, float]], bool]:
        least = flowed(begun, second)
        return lambda now: all(now[key] - first[key] >= least[key] - NEAR_WH for key in FLOWS)

    async for second in home.samples():
        now = await eventually(home.sums, flowed_until(second))
        most = flowed(began, home.second)
        for key, wh in most.items():
            assert now[key] - first[key] <= wh + NEAR_WH, key
        own_wh = now["production"] - now["injected"]
        # Consumed energy stays so, even where a late reading made it.
        late_wh = most["production"]
        assert own_wh - NEAR_WH <= now["self_consumed"] <= own_wh + late_wh + NEAR_WH
        assert now["consumed"] == pytest.approx(now["self_consumed"] + now["drawn"], abs=NEAR_WH)


@pytest.mark.usefixtures("warm")
async def test_a_node_offers_consumption_injection_and_production(
    home: SolarHome, tmp_path: Path
) -> None:
    ids, node = await home.entities(METER, INVERTER), NodeProgram(tmp_path)
    await node.do("home", home.hass.url, answer=await home.hass.api.long_lived_token())
    permission_id = await node.be_asked(
        "coop@two.test", "roof", "consumption", "injection", "production", history_days=30
    )
    offered = json.loads(await node.do("grant", permission_id, "--json"))["offered"]
    assert {(offer["statistic"], offer["direction"]) for offer in offered} >= {
        (ids["energy_drawn"], "consumption"),
        (ids["energy_injected"], "injection"),
        (ids["energy"], "production"),
    }


async def test_the_log_has_no_problem_and_no_serial_number(home: SolarHome) -> None:
    assert home.hass.problems() == []
    assert home.inverter.inverters[0].serial not in home.hass.log_path.read_text()


async def _add_inverter(visitor: Visitor, home: SolarHome, language: Language) -> None:
    words = config_words(language)
    fields = words["step"]["inverter"]["data"]
    await visitor.start_flow(DOMAIN)
    await visitor.picture(ARTIFACTS / f"solar-menu.{language}.png")
    await visitor.choose(words["step"]["user"]["menu_options"]["inverter"])
    await visitor.fill(fields["host"], home.inverter.host)
    await visitor.fill(fields["port"], str(home.inverter.port))
    await visitor.fill(fields["unit_id"], "9")
    await visitor.submit()
    await expect(visitor.error).to_have_text(words["error"]["no_such_unit"])
    await visitor.picture(ARTIFACTS / f"solar-error.{language}.png")

    await visitor.fill(fields["unit_id"], "1")
    await visitor.submit()
    await visitor.step("form").get_by_text("Kersabiec Solaire").wait_for()
    await visitor.picture(ARTIFACTS / f"solar-found.{language}.png")
    await visitor.submit()
    await visitor.step("create-entry").wait_for()
    await visitor.picture(ARTIFACTS / f"solar-added.{language}.png")


async def _add_balance(visitor: Visitor, home: SolarHome, language: Language) -> None:
    words = config_words(language)
    await visitor.start_flow(DOMAIN)
    await visitor.choose(words["step"]["user"]["menu_options"]["balance"])
    await visitor.picture(ARTIFACTS / f"balance-home.{language}.png")
    await visitor.submit()
    title = words["step"]["balance_sources"]["data"]["production_energy"]
    await visitor.step("form").get_by_text(title).first.wait_for()
    await visitor.picture(ARTIFACTS / f"balance-sources.{language}.png")
    await visitor.submit()
    await visitor.step("create-entry").wait_for()


async def _look(visitor: Visitor, home: SolarHome, pictures: Path, language: Language) -> None:
    """Look at the devices, and at a whole day on the Energy dashboard."""
    api = home.hass.api
    if pictures != ARTIFACTS:
        await _powers_and_rates_are_known(home)
    for name, keys, folder in (
        ("inverter", INVERTER, ARTIFACTS),
        ("balance", BALANCE, pictures),
    ):
        entry_id = await entry_with(api, keys)
        assert entry_id is not None
        await visitor.page.goto(await device_page(api, entry_id))
        await visitor.shows("ha-device-entities-card")
        # A label that is loaded late is drawn with the next page.
        await visitor.page.reload()
        await visitor.shows("ha-device-entities-card")
        await visitor.picture(folder / f"solar-{name}.{language}.png")
    await visitor.page.goto("/energy")
    await visitor.see_yesterday()
    await visitor.picture(pictures / f"solar-energy.{language}.png")


async def _import_past(home: SolarHome) -> None:
    """Have days before this one, which the balance takes along."""
    api = home.hass.api
    entry_id = await eventually(lambda: entry_with(api, INVERTER), bool)
    assert entry_id is not None
    await entities_with(api, entry_id, INVERTER)
    ids = await home.entities(METER, INVERTER)
    await show_on_energy_dashboard(api, ids)
    await import_history(api, {**ids, **await net_power(api)}, past(home))


async def _powers_and_rates_are_known(home: SolarHome) -> None:
    """Wait for what comes from registers, a minute, and from the past, ten: for pictures."""
    ids = await home.entities(BALANCE)
    for key in ("consumed_power", "self_consumption_today"):
        shown = partial(home.shown, ids[key])
        await eventually(shown, lambda value: value is not None, within_s=900)


async def _read_often(home: SolarHome) -> None:
    api = home.hass.api
    for keys, options in ((METER, EVERY_FRAME), (INVERTER, {"interval": 2})):
        entry_id = await entry_with(api, keys)
        assert entry_id is not None
        step = await api.start_options_flow(entry_id, choice="publication")
        await api.submit_options(step, **options)
        await entities_with(api, entry_id, keys)
