"""The collectives of a node, as the dashboard finds them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.consometers.dashboard.household import collectives, plants

from .house import House
from .toy import collective, part, plant, sums


async def test_collectives_have_their_entities_and_statistics(house: House) -> None:
    await house.start(
        collective("2", name="Énergie d'ici", sums=part("statistics", injection=None)),
        collective("1", name="Commune"),
    )
    commune, cooperative = collectives(house.hass)
    assert (commune.name, cooperative.name) == ("Commune", "Énergie d'ici")
    assert commune.entities.keys() == {"last_acknowledged", "waiting", "sharing", "problem"}
    assert cooperative.entities["members"] == house.entity_id("2_members")
    assert commune.statistics == {}
    assert cooperative.statistics == {
        "consumption": "consometers:collective_1_consumption",
        "production": "consometers:collective_1_production",
    }


async def test_plants_are_listed_apart_from_collectives(house: House) -> None:
    await house.start(collective(plants=[plant()]))
    assert [each.name for each in collectives(house.hass)] == ["Coopérative 1"]
    (school,) = plants(house.hass)
    assert (school.name, school.statistic) == (plant()["name"], plant()["statistic"])
    assert school.entities["power"] == house.entity_id("1:kersabiec_ecole_power")
    await house.hass.config_entries.async_unload(house.entry.entry_id)
    (school,) = plants(house.hass)
    assert school.statistic is None
    assert "coverage" in school.entities


async def test_a_collective_without_statistics_keeps_its_entities(house: House) -> None:
    await house.start(collective(sums=sums(statistics=None)))
    (shown,) = collectives(house.hass)
    assert shown.statistics == {}
    assert "members" in shown.entities


NOTHING: dict[str, Any] = {"last": None, "today": None, "statistics": None}


@pytest.mark.parametrize(
    ("answered", "missing"),
    [
        (sums(), ()),
        (sums(**NOTHING), ("consumption", "injection", "production")),
        ({**sums(**NOTHING), "last": part("last", production=None)["last"]}, ("production",)),
        (sums(**NOTHING | {"today": part("today", injection=None)["today"]}), ("injection",)),
        # The part that is hidden now was sent before.
        (part("last", consumption=None, production=None), ()),
        (None, ()),
    ],
)
async def test_series_that_never_arrived_are_missing(
    house: House, answered: dict[str, Any] | None, missing: tuple[str, ...]
) -> None:
    await house.start(collective(sums=answered))
    (shown,) = collectives(house.hass)
    assert (shown.missing, shown.is_unread) == (missing, False)


async def test_unreadable_sums_are_marked_as_unread(house: House) -> None:
    answered = sums(**NOTHING, problem={"en": "It does not answer."})
    await house.start(collective(sums=answered))
    assert [each.is_unread for each in collectives(house.hass)] == [True]


async def test_a_collective_has_the_name_that_the_household_gave_it(house: House) -> None:
    await house.start()
    device = house.device("1")
    assert device is not None
    dr.async_get(house.hass).async_update_device(device.id, name_by_user="La coop")
    assert [each.name for each in collectives(house.hass)] == ["La coop"]


@pytest.mark.parametrize("by_name", [False, True])
async def test_a_collective_that_shows_names_is_a_site(house: House, by_name: bool) -> None:
    await house.start(collective(by_name=by_name))
    assert [each.is_site for each in collectives(house.hass)] == [by_name]


async def test_collectives_of_an_unloaded_node_have_no_statistics(
    hass: HomeAssistant, house: House
) -> None:
    await house.start(collective(sums=sums()))
    await hass.config_entries.async_unload(house.entry.entry_id)
    (shown,) = collectives(hass)
    assert shown.statistics == {}
    assert shown.missing == ()
    assert "consumption_power" in shown.entities
