"""The collectives of a node, as the dashboard finds them."""

from typing import Any

from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.consometers.dashboard.household import collectives, plants
from testing.integration.node import NodeView
from testing.integration.toy_node import collective, part, plant, sums, today


async def test_collectives_have_their_names_entities_and_statistics(house: NodeView) -> None:
    await house.start(
        collective("3", by_name=True, sums=sums(statistics=None)),
        collective("2", name="Énergie d'ici", sums=part("statistics", injection=None)),
        collective("1", name="Commune"),
    )
    device = house.device("3")
    assert device is not None
    dr.async_get(house.hass).async_update_device(device.id, name_by_user="École")
    commune, school, cooperative = listed = collectives(house.hass)
    assert [each.name for each in listed] == ["Commune", "École", "Énergie d'ici"]
    assert [each.is_site for each in listed] == [False, True, False]
    assert commune.entities.keys() == {"last_acknowledged", "waiting", "sharing", "problem"}
    assert school.entities["members"] == house.entity_id("3_members")
    assert commune.statistics == school.statistics == {}
    assert cooperative.statistics == {
        "consumption": "consometers:collective_1_consumption",
        "production": "consometers:collective_1_production",
    }


async def test_plants_are_listed_apart_from_collectives(house: NodeView) -> None:
    await house.start(collective(plants=[plant()], sums=sums()))
    assert [each.name for each in collectives(house.hass)] == ["Coopérative 1"]
    (school,) = plants(house.hass)
    assert (school.name, school.statistic) == (plant()["name"], plant()["statistic"])
    assert school.entities["power"] == house.entity_id("1:kersabiec_ecole_power")
    # Of an unloaded node, the entities are left.
    await house.unload()
    (school,), (shown,) = plants(house.hass), collectives(house.hass)
    assert (school.statistic, shown.statistics, shown.missing) == (None, {}, ())
    assert "coverage" in school.entities
    assert "consumption_power" in shown.entities


NOTHING: dict[str, Any] = {"last": None, "today": None, "statistics": None}
UNREAD = {"en": "It does not answer."}
ENERGIES = ("consumption", "injection", "production")


@pytest.mark.parametrize(
    ("answered", "missing", "is_unread"),
    [
        (sums(), (), False),
        (sums(**NOTHING), ENERGIES, False),
        (sums(**NOTHING, problem=UNREAD), ENERGIES, True),
        ({**sums(**NOTHING), "last": part("last", production=None)["last"]}, ENERGIES[2:], False),
        (sums(**NOTHING | {"today": today(injection=None)["today"]}), ENERGIES[1:2], False),
        # The part that is hidden now was sent before.
        (part("last", consumption=None, production=None), (), False),
        (None, (), False),
    ],
)
async def test_series_that_never_arrived_are_missing(
    house: NodeView, answered: dict[str, Any] | None, missing: tuple[str, ...], is_unread: bool
) -> None:
    await house.start(collective(sums=answered))
    (shown,) = collectives(house.hass)
    assert (shown.missing, shown.is_unread) == (missing, is_unread)
