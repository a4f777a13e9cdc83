"""The collectives of a node, as the dashboard finds them."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from custom_components.consometers.dashboard.household import collectives

from .house import House
from .toy import collective, part, sums


async def test_they_have_their_entities_and_statistics(house: House) -> None:
    house.toy.answer["collectives"] = [
        collective("2", name="Énergie d'ici", sums=part("statistics", injection=None)),
        collective("1", name="Commune"),
    ]
    await house.start()
    commune, cooperative = collectives(house.hass)
    assert (commune.name, cooperative.name) == ("Commune", "Énergie d'ici")
    assert commune.entities.keys() == {"last_acknowledged", "waiting", "sharing", "problem"}
    assert cooperative.entities["members"] == house.entity_id("sensor", "members", "2")
    assert commune.statistics == {}
    assert cooperative.statistics == {
        "consumption": "consometers:collective_1_consumption",
        "production": "consometers:collective_1_production",
    }


async def test_one_that_tells_no_statistics_has_none(house: House) -> None:
    house.toy.answer["collectives"] = [collective(sums=sums(statistics=None))]
    await house.start()
    (found,) = collectives(house.hass)
    assert found.statistics == {}
    assert "members" in found.entities


async def test_one_is_called_as_the_household_calls_it(house: House) -> None:
    await house.start()
    device = house.device("1")
    assert device is not None
    dr.async_get(house.hass).async_update_device(device.id, name_by_user="La coop")
    assert [each.name for each in collectives(house.hass)] == ["La coop"]


async def test_while_the_node_is_away_they_stay_without_their_statistics(
    hass: HomeAssistant, house: House
) -> None:
    house.toy.answer["collectives"] = [collective(sums=sums())]
    await house.start()
    await hass.config_entries.async_unload(house.entry.entry_id)
    (found,) = collectives(hass)
    assert found.statistics == {}
    assert "consumption_power" in found.entities
