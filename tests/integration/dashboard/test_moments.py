"""Hours in sentences, as Home Assistant renders them."""

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
import pytest

from custom_components.consometers.dashboard.moments import best_time, next_tariff, price
from custom_components.consometers.dashboard.words import WORDS

START, END, TARIFF = "sensor.start", "sensor.end", "sensor.tariff"
PRICE = "sensor.price"


@pytest.fixture
async def paris(hass: HomeAssistant) -> HomeAssistant:
    await hass.config.async_set_time_zone("Europe/Paris")
    return hass


def rendered(hass: HomeAssistant, template: str) -> str:
    return str(Template(template, hass).async_render(parse_result=False)).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "now", "expected"),
    [
        ("en", "2026-06-09 10:41", "**Best time**<br>Now, until 15:00"),
        ("fr", "2026-06-09 10:41", "**Meilleur moment**<br>Maintenant, jusqu’à 15 h"),
        ("en", "2026-06-09 06:00", "**Best time**<br>Today, from 12:00 to 15:00"),
        ("fr", "2026-06-09 06:00", "**Meilleur moment**<br>Aujourd’hui, de 12 h à 15 h"),
        # The evening before, by the clock of the home.
        ("en", "2026-06-08 21:59", "**Best time**<br>Tomorrow, from 12:00 to 15:00"),
        ("fr", "2026-06-08 21:59", "**Meilleur moment**<br>Demain, de 12 h à 15 h"),
    ],
)
async def test_a_best_time_that_has_begun_is_now(
    paris: HomeAssistant, language: str, now: str, expected: str
) -> None:
    paris.states.async_set(START, "2026-06-09T10:00:00+00:00")
    paris.states.async_set(END, "2026-06-09T13:00:00+00:00")
    with freeze_time(now):
        assert rendered(paris, best_time(START, END, WORDS[language])) == expected


@pytest.mark.parametrize(
    ("language", "start", "expected"),
    [
        ("en", "20:30", "**Next**<br>HEURE CREUSE from 22:30"),
        ("fr", "20:30", "**Ensuite**<br>HEURE CREUSE à partir de 22 h 30"),
        ("fr", "20:00", "**Ensuite**<br>HEURE CREUSE à partir de 22 h"),
        ("fr", "04:05", "**Ensuite**<br>HEURE CREUSE à partir de 6 h 05"),
    ],
)
async def test_the_next_tariff_has_its_hour(
    paris: HomeAssistant, language: str, start: str, expected: str
) -> None:
    paris.states.async_set(TARIFF, "HEURE CREUSE")
    paris.states.async_set(START, f"2026-06-09T{start}:00+00:00")
    assert rendered(paris, next_tariff(TARIFF, START, "EUR", WORDS[language])) == expected


@pytest.mark.parametrize(
    ("language", "currency", "amount", "expected"),
    [
        ("en", "EUR", "0.21", "21.00 c€/kWh"),
        ("fr", "EUR", "0.21", "21,00 c€/kWh"),
        ("fr", "EUR", "0.20649", "20,65 c€/kWh"),
        ("fr", "EUR", "1.5", "150,00 c€/kWh"),
        # How others write a hundredth of theirs is unknown.
        ("fr", "CHF", "0.21", "0,2100 CHF/kWh"),
    ],
)
async def test_a_price_is_written_as_on_a_bill(
    paris: HomeAssistant, language: str, currency: str, amount: str, expected: str
) -> None:
    words = WORDS[language]
    paris.states.async_set(PRICE, amount)
    shown = rendered(paris, price(PRICE, currency, words))
    assert shown == f"**{expected}**"

    paris.states.async_set(TARIFF, "HEURE CREUSE", {"price": float(amount)})
    paris.states.async_set(START, "2026-06-09T20:00:00+00:00")
    assert rendered(paris, next_tariff(TARIFF, START, currency, words)).endswith(f"<br>{expected}")


@pytest.mark.parametrize("state", ["unknown", "unavailable"])
async def test_an_unknown_hour_has_no_sentence(paris: HomeAssistant, state: str) -> None:
    for entity in (START, END, TARIFF, PRICE):
        paris.states.async_set(entity, state)
    assert rendered(paris, best_time(START, END, WORDS["fr"])) == ""
    assert rendered(paris, next_tariff(TARIFF, START, "EUR", WORDS["fr"])) == ""
    assert rendered(paris, price(PRICE, "EUR", WORDS["fr"])) == ""
