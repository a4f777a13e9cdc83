"""The show house: what a person sees in it, in both languages.

Leaves pictures in `.artifacts/`. `script/test tests/e2e/home/test_house.py --pictures=docs/images`
renews those of the documentation, which are taken at noon.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM, Visitor, person
from demo.hass import Language
from demo.school.kersabiec import House
from testing.programs.metered_home import DOMAIN, config_words
from testing.waiting import eventually

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")

LARGEST_PICTURE_BYTES = 300_000


@pytest_asyncio.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> AsyncIterator[House]:
    """The school, whose Home Assistant does not know the meter yet."""
    noon = datetime.now(ZoneInfo("Europe/Paris")).replace(hour=13, minute=20)
    time = noon if _are_for_documentation(pictures) else None
    house = House(tmp_path_factory.mktemp("school"), language="en", meter_time=time)
    try:
        await house.start()
        yield house
    finally:
        await house.close()


@pytest.mark.parametrize("language", ["fr", pytest.param("en", marks=pytest.mark.full)])
async def test_a_person_adds_the_meter_and_looks_at_it(
    browser: Browser, house: House, pictures: Path, language: Language
) -> None:
    await _forget_entries(house, language)
    context = await person(browser, house.hass.url, language)
    visitor = await Visitor(await context.new_page()).log_in()
    try:
        await _visit(visitor, house, pictures, language)
    except BaseException:
        await visitor.picture(pictures / f"failure.{language}.png")
        raise
    assert house.hass.problems() == []
    for picture in pictures.glob(f"*.{language}.png"):
        assert picture.stat().st_size < LARGEST_PICTURE_BYTES


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


async def _forget_entries(house: House, language: Language) -> None:
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
    )
