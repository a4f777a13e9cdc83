"""What Home Assistant shows of a node and of its collectives."""

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from syrupy.assertion import SnapshotAssertion

from consometers_node.web.core.speech import Language
from custom_components.consometers.const import CONF_APP
from testing.integration.node import NodeView
from testing.integration.toy_node import (
    challenge,
    collective,
    part,
    permission,
    plant,
    protected,
    sums,
    today,
)
from testing.waiting import until

PROBLEM = {"en": "It does not answer.", "fr": "Il ne répond pas."}
SCHOOL = "1:kersabiec_ecole"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_node_and_its_collectives_are_shown_in_the_language_of_the_home(
    hass: HomeAssistant, house: NodeView, language: str, snapshot: SnapshotAssertion
) -> None:
    hass.config.language = language
    await hass.config.async_set_time_zone("Europe/Paris")
    house.toy.answer.update(
        online=False,
        problem={"en": "No account.", "fr": "Pas de compte."},
        collectives=[
            collective("1", sums=sums(), challenge=challenge(), plants=[plant()]),
            collective("2", problem=PROBLEM, permissions=[permission(paused=True)]),
            collective("3", acknowledged_until=None, permissions=[permission(state="proposed")]),
        ],
    )
    await house.start()
    assert house.facts() == snapshot


async def test_a_connected_node_shows_no_reason(house: NodeView) -> None:
    await house.start()
    assert house.connected == "on"
    assert house.attributes("connected", "binary_sensor")["reason"] is None


async def test_protected_hours_appear_once_the_witness_has_answered(house: NodeView) -> None:
    unanswered = protected(opened_hours=None, least_homes=None, invalid_hours=None, homes=None)
    await house.start(
        collective("1", permissions=[permission(), permission(protected=protected())]),
        collective("2", permissions=[permission(protected=unanswered)]),
        collective("3"),
    )
    answered = {"least_homes": 36, "invalid_hours": 2, "enrolled_homes": 40}
    assert house.state("1_protected_hours") == "720"
    assert house.attributes("1_protected_hours").items() >= answered.items()
    assert house.state("2_protected_hours") is None
    assert house.state("3_protected_hours") is None


async def test_the_node_each_collective_and_each_plant_are_devices(house: NodeView) -> None:
    await house.start(collective(plants=[plant()]))
    devices = [house.device(), house.device("1"), house.device(SCHOOL, separator=":")]
    node, of_collective, of_plant = (device for device in devices if device is not None)
    assert (node.name, node.manufacturer, node.sw_version) == (
        *("Consometers node", "Consometers"),
        "1.0.0",
    )
    assert of_collective.name == "Coopérative 1"
    assert of_collective.via_device_id == node.id
    assert of_plant.name == "École de Kersabiec"
    assert of_plant.via_device_id == of_collective.id
    for device in (node, of_collective, of_plant):
        assert device.entry_type is dr.DeviceEntryType.SERVICE
        assert device.configuration_url == house.toy.url


async def test_the_page_of_a_node_that_is_an_app_opens_within_home_assistant(
    house: NodeView,
) -> None:
    house.change(**{CONF_APP: "a0d7b954_consometers"})
    await house.start(collective(permissions=[permission(newer_version="next")]))
    node, (issue,) = house.device(), house.issues().values()
    assert node is not None
    assert node.configuration_url == "homeassistant://app/a0d7b954_consometers"
    assert issue.learn_more_url == node.configuration_url


class TestCollectives:
    async def test_a_collective_appears_leaves_nothing_and_returns(self, house: NodeView) -> None:
        await house.start()
        for _ in range(2):
            assert house.state("2_sharing", "switch") is None
            house.toy.change(collectives=[collective("1"), collective("2", sums=sums())])
            await until(lambda: house.state("2_sharing", "switch") == "on")
            await until(lambda: house.state("2_members") == "37")
            assert house.state("2_waiting") == "2"
            assert house.state("2_problem", "binary_sensor") == "off"
            assert house.device("2") is not None

            house.toy.change(collectives=[collective("1")])
            await until(lambda: house.device("2") is None)
            await house.hass.async_block_till_done()
            assert house.entity_id("2_sharing", "switch") is None
            assert house.entity_id("2_members") is None
            assert house.state("1_sharing", "switch") == "on"

    async def test_a_collective_removed_while_unloaded_leaves_nothing(
        self, house: NodeView
    ) -> None:
        await house.start(collective("1"), collective("2"))
        await house.unload()
        house.toy.answer["collectives"] = [collective("1")]
        await house.set_up()
        assert house.device("2") is None
        assert house.entity_id("2_sharing", "switch") is None

    async def test_a_renamed_collective_renames_its_device(self, house: NodeView) -> None:
        await house.start()
        house.toy.change(collectives=[collective("1", name="Énergie d'ici")])
        await until(lambda: (device := house.device("1")) and device.name == "Énergie d'ici")


class TestSharing:
    async def test_the_switch_is_on_while_a_permission_is_active(self, house: NodeView) -> None:
        granted = [permission(paused=True), permission(id="other")]
        await house.start(collective("1", permissions=granted))
        assert house.state("1_sharing", "switch") == "on"

    async def test_the_switch_is_unavailable_without_a_granted_permission(
        self, house: NodeView
    ) -> None:
        ended = [permission(state="withdrawn")]
        await house.start(collective("1", permissions=ended))
        assert house.state("1_sharing", "switch") == STATE_UNAVAILABLE
        assert house.waiting == "2"


WITHHELD = {"en": "At least 10 homes are needed.", "fr": "Il faut au moins 10 foyers."}
SUMS = (
    *("consumption_power", "injection_power", "production_power", "members", "sums_until"),
    *("consumption_today", "injection_today", "production_today", "shared_locally_today"),
    *("local_coverage_today", "self_consumption_today", "self_sufficiency_today"),
    *("month_mine", "month_median", "month_difference"),
)


class TestSums:
    async def test_a_node_without_sums_has_no_entities_for_them(self, house: NodeView) -> None:
        await house.start(collective("1"), collective("2", sums=None))
        made = [house.entity_id(f"{each}_{key}") for key in SUMS for each in ("1", "2")]
        assert made == [None] * len(made)

    async def test_a_sum_appears_with_its_first_value(self, house: NodeView) -> None:
        await house.start(collective(sums=part("last", production=None)))
        assert house.state("1_consumption_power") == "23.45"
        assert house.state("1_production_power") is None
        house.toy.change(collectives=[collective(sums=part("last", production=0))])
        await until(lambda: house.state("1_production_power") == "0.0")

    async def test_a_suppressed_sum_is_unknown_with_its_reason(self, house: NodeView) -> None:
        await house.start(collective(sums=sums()))
        withheld_sums = {**part("last", consumption=None), "problem": WITHHELD}
        house.toy.change(collectives=[collective(sums=withheld_sums)])
        await until(lambda: house.state("1_consumption_power") == "unknown")
        assert house.attributes("1_consumption_power")["reason"] == WITHHELD["en"]
        assert "reason" not in house.attributes("1_production_power")

    @pytest.mark.parametrize("part_of_them", ["last", "today", "month"])
    async def test_a_missing_part_is_unknown(self, house: NodeView, part_of_them: str) -> None:
        await house.start(collective(sums=sums()))
        house.toy.change(collectives=[collective(sums=sums(**{part_of_them: None}))])
        example = {"last": "members", "today": "consumption_today", "month": "month_median"}
        await until(lambda: house.state(f"1_{example[part_of_them]}") == "unknown")
        unknown = [key for key in SUMS if house.state(f"1_{key}") == "unknown"]
        assert len(unknown) == {"last": 5, "today": 7, "month": 3}[part_of_them]

    async def test_sums_are_unavailable_once_the_node_stops_reading_them(
        self, house: NodeView
    ) -> None:
        await house.start(collective(sums=sums()))
        house.toy.change(collectives=[collective(sums=None)])
        await until(lambda: house.state("1_members") == STATE_UNAVAILABLE)
        shown = {house.state(f"1_{key}") for key in SUMS}
        assert shown == {STATE_UNAVAILABLE}
        assert house.waiting == "2"

    async def test_entities_return_after_a_restart(self, house: NodeView) -> None:
        await house.start(collective(sums=sums()))
        await house.unload()
        house.toy.answer["collectives"] = [collective(sums=today(injection=None))]
        await house.set_up()
        assert house.state("1_injection_today") == "unknown"
        assert house.state("1_injection_power") == "0.31"


class TestChallenge:
    async def test_an_early_challenge_has_a_name_and_no_figure(self, house: NodeView) -> None:
        await house.start(collective(challenge=challenge(standing=None)))
        assert house.state("1_challenge") == "unknown"
        (early,) = [fact for fact in house.facts().values() if fact["key"] == "1_challenge"]
        assert "Le Grand Défi" in str(early["attributes"])
        house.toy.change(collectives=[collective(challenge=challenge())])
        await until(lambda: house.state("1_challenge") == "-6.2")
        # Long after its end, the collective sends no challenge.
        house.toy.change(collectives=[collective(challenge=None)])
        await until(lambda: house.state("1_challenge") == "unknown")

    @pytest.mark.parametrize(
        ("change", "state", "written"),
        [
            pytest.param(0.4, "0.4", {"en": "+0.4%", "fr": "+0,4\u202f%"}, id="more"),
            pytest.param(-6.2, "-6.2", {"en": "−6.2%", "fr": "−6,2\u202f%"}, id="less"),
            pytest.param(12.0, "12.0", {"en": "+12%", "fr": "+12\u202f%"}, id="a whole number"),
            pytest.param(-0.04, "-0.04", {"en": "0%", "fr": "0\u202f%"}, id="about the same"),
        ],
    )
    async def test_a_change_is_written_as_on_the_page_of_the_collective(
        self, house: NodeView, change: float, state: str, written: dict[str, str]
    ) -> None:
        standing = {**challenge()["standing"], "change": change}
        for language, expected in written.items():
            house.hass.config.language = language
            await house.start(collective(challenge=challenge(standing=standing)))
            assert house.state("1_challenge") == state
            assert house.attributes("1_challenge")["signed"] == expected
            assert Language(language).change(change / 100) == expected
            await house.unload()

    async def test_the_difference_from_the_median_has_its_sign(self, house: NodeView) -> None:
        await house.start(collective(sums=sums()))
        # 412 kWh beside 390.
        assert house.state("1_month_difference") == "5.6"
        assert house.attributes("1_month_difference")["signed"] == "+5.6%"


class TestPlants:
    async def test_a_fact_appears_with_its_first_value(self, house: NodeView) -> None:
        unknown = plant(last=None, today=None, month=None)
        await house.start(collective(plants=[unknown]))
        assert house.state(f"{SCHOOL}_power") is None
        assert house.state(f"{SCHOOL}_shares") == "5"
        house.toy.change(collectives=[collective(plants=[plant(corrected=True, shares=7)])])
        await until(lambda: house.state(f"{SCHOOL}_power") == "24")
        assert house.state(f"{SCHOOL}_shares") == "7"
        assert house.attributes(f"{SCHOOL}_shares")["corrected"] is True
        why = {"en": "The collective does not answer.", "fr": "Le collectif ne répond pas."}
        house.toy.change(collectives=[collective(plants=[{**unknown, "problem": why}])])
        await until(lambda: house.state(f"{SCHOOL}_power") == "unknown")
        assert house.attributes(f"{SCHOOL}_power")["reason"] == why["en"]

    async def test_a_plant_without_shares_is_removed(self, house: NodeView) -> None:
        await house.start(collective(plants=[plant(), plant("kermelo", name="Kermelo")]))
        house.toy.change(collectives=[collective(plants=[plant("kermelo", name="Kermelo")])])
        await until(lambda: house.state(f"{SCHOOL}_power") is None)
        assert house.state("1:kermelo_power") == "24"
        assert house.device("1") is not None
