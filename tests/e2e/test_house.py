"""The show house: what a person sees in it, in both languages, and what it remembers.

Leaves pictures in `.artifacts/`. `script/test tests/e2e/test_house.py --pictures=docs/images`
renews those of the documentation, which are taken at noon.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM, Visitor, open_browser
from demo.hass import Language
from demo.kersabiec import House
from tests.e2e.home import DOMAIN, config_words
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")

LARGEST_PICTURE_BYTES = 300_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("school")


@pytest_asyncio.fixture(scope="module")
async def house(folder: Path, pictures: Path) -> AsyncIterator[House]:
    """The school, whose Home Assistant does not know the meter yet."""
    noon = datetime.now(ZoneInfo("Europe/Paris")).replace(hour=13, minute=20)
    time = noon if _are_for_documentation(pictures) else None
    house = House(folder, language="en", meter_time=time)
    try:
        await house.start()
        yield house
    finally:
        await house.close()


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
async def test_a_person_adds_the_meter_and_looks_at_it(
    house: House, pictures: Path, language: Language
) -> None:
    await _begin_anew(house, language)
    async with open_browser(house.hass.url, language) as visitor:
        try:
            await _visit(visitor, house, pictures, language)
        except BaseException:
            await visitor.picture(pictures / f"failure.{language}.png")
            raise
    assert house.hass.problems() == []
    for picture in pictures.glob(f"*.{language}.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


async def test_a_year_runs_into_the_present(house: House) -> None:
    await _year_is_whole(house)


async def test_opened_again_it_has_missed_nothing(house: House, folder: Path) -> None:
    registers = await house.registers()
    await house.close()
    again = House(folder)
    try:
        await again.open()
        assert await again.registers() == registers
        await _year_is_whole(again)
        assert again.hass.problems() == []
    finally:
        await again.close()


async def _year_is_whole(house: House) -> None:
    """Every hour up to the present one has its row, and sums grow as the registers do."""
    now = datetime.now(UTC)
    for entity_id in await house.registers():
        rows = await eventually(
            partial(house.hass.api.statistics, entity_id, "hour", now - timedelta(days=365)),
            lambda rows: len(rows) >= 364 * 24,
        )
        assert all(before["end"] == after["start"] for before, after in pairwise(rows))
        assert rows[-1]["end"] >= (now - timedelta(hours=1, minutes=2)).timestamp() * 1000
        counted = [
            (row["state"], row["sum"])
            for row in rows
            if row["state"] is not None and row["sum"] is not None
        ]
        assert len(counted) == len(rows)
        assert len({round(state - total) for state, total in counted}) == 1
        assert all(before <= after for (before, _), (after, _) in pairwise(counted))


def _are_for_documentation(pictures: Path) -> bool:
    return pictures.name != ".artifacts"


async def _visit(visitor: Visitor, house: House, pictures: Path, language: Language) -> None:
    await visitor.start_flow(DOMAIN)
    await visitor.choose(config_words(language)["step"]["user"]["menu_options"]["meter"])
    await visitor.type_port("/dev/serial/by-id/usb-none")
    await visitor.submit()
    await expect(visitor.error).to_have_text(config_words(language)["error"]["no_such_port"])
    await visitor.picture(pictures / f"add-error.{language}.png")

    await visitor.type_port(house.meter.port)
    await visitor.submit()
    await visitor.step("progress").wait_for()
    end_of_address = house.meter.linky.identity.address[-4:]
    await visitor.step("form").get_by_text(end_of_address).wait_for()
    await visitor.picture(pictures / f"add-meter.{language}.png")

    await visitor.submit()
    await visitor.step("create-entry").wait_for()
    (entry,) = await house.hass.api.entries(DOMAIN)
    address = await house.furnish(entry["entry_id"])
    if _are_for_documentation(pictures):
        await _powers_are_known(house, entry["entry_id"])

    await visitor.page.goto(address.device_page)
    await visitor.shows("ha-device-entities-card")
    await visitor.picture(pictures / f"device.{language}.png")

    await visitor.page.goto(address.energy_page)
    await visitor.see_yesterday()
    await visitor.picture(pictures / f"energy.{language}.png")


async def _begin_anew(house: House, language: Language) -> None:
    """Forget what was added: entities are named in the language of the home when they are made."""
    for entry in await house.hass.api.entries(DOMAIN):
        await house.hass.api.remove(entry["entry_id"])
        await house.hass.api.command("energy/save_prefs", energy_sources=[])
    await house.hass.api.set_language(language)


async def _powers_are_known(house: House, entry_id: str) -> None:
    """Wait for the powers that are derived from registers, which takes a minute: for pictures."""
    api = house.hass.api
    power = (await api.entity_ids(entry_id))["active_power_drawn"]
    await eventually(
        lambda: api.state(power),
        lambda state: state["state"] not in ("unknown", "unavailable"),
        within_s=90,
    )
