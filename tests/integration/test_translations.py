"""Every word that a person reads is there in both languages, and none is there for nothing."""

from collections.abc import Iterator, Sequence
from itertools import chain
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import SensorDeviceClass, SensorEntityDescription
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.consometers import const
from custom_components.consometers.balance import flow as balance_flow, tracker
from custom_components.consometers.balance.saving import SAVED
from custom_components.consometers.balance.sensors import BALANCE_SENSORS
from custom_components.consometers.balance.state import Home
from custom_components.consometers.dashboard.words import WORDS
from custom_components.consometers.enedis_files import Refusal
from custom_components.consometers.history import (
    continuing,
    file_flow,
    flow as history_flow,
)
from custom_components.consometers.inverter import issues as inverter_issues, link as inverter_link
from custom_components.consometers.inverter.sensors import sensors as inverter_sensors
from custom_components.consometers.linky import detection, issues
from custom_components.consometers.linky.entities.binary_sensors import binary_sensors
from custom_components.consometers.linky.entities.entity import CONNECTIVITY
from custom_components.consometers.linky.entities.sensors import (
    estimates,
    price,
    raw_labels,
    sensors,
)
from custom_components.consometers.linky.prices import option
from custom_components.consometers.node import issues as node_issues
from custom_components.consometers.node.api import client
from custom_components.consometers.node.computed.simulation import Key
from custom_components.consometers.node.entities import (
    CONNECTED,
    PROBLEM,
    SHARING,
    SURPLUS,
    SURPLUS_LIKELY,
)
from custom_components.consometers.node.entity import REASON
from custom_components.consometers.node.flow import NO_COEFFICIENT
from custom_components.consometers.node.sensors import (
    ATTRIBUTES,
    COLLECTIVE_SENSORS,
    PLANT_SENSORS,
    SIMULATION_SENSORS,
    SURPLUS_SENSORS,
)
from custom_components.consometers.services import ACTIONS
from custom_components.consometers.tic import CATALOGUE, Kind, Mode, link

INTEGRATION = Path(const.__file__).parent


def loaded(name: str) -> Any:
    return json.loads((INTEGRATION / name).read_text())


ENGLISH: dict[str, Any] = loaded("translations/en.json")
LANGUAGES = sorted(path.name for path in (INTEGRATION / "translations").iterdir())
ICONS: dict[str, Any] = loaded("icons.json")["entity"]
INDEXES = [
    *(f"EASF{n:02}" for n in range(1, 11)),
    *(name for name, label in CATALOGUE[Mode.HISTORIQUE].items() if label.kind is Kind.REGISTER),
]
LINKY_SENSORS = list(chain(sensors(), estimates(), [price("EUR")], raw_labels()))
INVERTER_SENSORS = list(inverter_sensors())
SENSORS: list[SensorEntityDescription] = [
    *LINKY_SENSORS,
    *INVERTER_SENSORS,
    *BALANCE_SENSORS,
    SAVED,
    *COLLECTIVE_SENSORS,
    *SURPLUS_SENSORS,
    *SIMULATION_SENSORS,
    *PLANT_SENSORS,
]
BINARY_SENSORS: list[BinarySensorEntityDescription] = [
    *binary_sensors(),
    CONNECTIVITY,
    CONNECTED,
    PROBLEM,
    SURPLUS_LIKELY,
]
PLATFORMS: dict[str, list[Any]] = {
    "sensor": SENSORS,
    "binary_sensor": BINARY_SENSORS,
    "calendar": [SURPLUS],
    "switch": [SHARING],
}
OF_EVERY_SWITCH = {"on", "off"}
NAMED_AFTER_A_TARIFF = "energy_tariff"
ON_PRODUCTION = {each.on_production for each in LINKY_SENSORS if each.on_production}
"""Entities with another name on a production meter."""

# As hassfest has them.
_URL = re.compile(r"((ftp|ftps|scp|https?|mqtts?|socket|socks5)://|www\.)", re.IGNORECASE)
_HTML = re.compile(r"<[a-z/!][^>]*>", re.IGNORECASE)
_QUOTED_PLACEHOLDER = re.compile(r"'{\w+}'")


def strings(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from strings(value, f"{path}.{key}" if path else key)
        else:
            yield f"{path}.{key}", value


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}


def key_of(description: EntityDescription) -> str:
    return description.translation_key or description.key


def keys_of(descriptions: list[EntityDescription]) -> set[str]:
    return {key_of(description) for description in descriptions}


def test_there_is_english_and_french() -> None:
    assert LANGUAGES == ["en.json", "fr.json"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_keys_and_placeholders(language: str) -> None:
    english, other = dict(strings(ENGLISH)), dict(strings(loaded(f"translations/{language}")))
    assert list(other) == list(english)
    for key, text in other.items():
        assert placeholders(text) == placeholders(english[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_strings_meet_the_rules_of_hassfest(language: str) -> None:
    for key, text in strings(loaded(f"translations/{language}")):
        assert text == text.strip(), key
        assert text, key
        for unwanted in (_URL, _HTML, _QUOTED_PLACEHOLDER):
            assert not unwanted.search(text), key
        assert all(name.isidentifier() for name in placeholders(text)), key


def test_french_apostrophes_are_typographic_except_in_entity_names() -> None:
    """Of “Taux d'autosuffisance”, Home Assistant makes “taux_d_autosuffisance”."""
    for key, text in strings(loaded("translations/fr.json")):
        is_name = key.startswith("entity.") and key.endswith(".name")
        assert ("’" if is_name else "'") not in text, key
    assert not [text for text in WORDS["fr"].values() if "'" in text]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_entity_has_a_name_and_every_name_an_entity(platform: str) -> None:
    names = ENGLISH["entity"][platform]
    used = keys_of(PLATFORMS[platform])
    if platform == "sensor":
        used |= {NAMED_AFTER_A_TARIFF, *ON_PRODUCTION}
    assert set(names) == used


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_placeholders_of_a_name_are_those_of_its_entity(platform: str) -> None:
    for description in PLATFORMS[platform]:
        name = ENGLISH["entity"][platform][key_of(description)]["name"]
        assert placeholders(name) == set(description.translation_placeholders or {}), (
            description.key
        )
    assert placeholders(ENGLISH["entity"]["sensor"][NAMED_AFTER_A_TARIFF]["name"]) == {"tariff"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_names_of_entities_differ(platform: str) -> None:
    for language in LANGUAGES:
        names = loaded(f"translations/{language}")["entity"][platform]
        shown = [entity["name"] for entity in names.values()]
        assert sorted(shown) == sorted(set(shown))


def test_every_option_of_a_state_has_its_word() -> None:
    for description in SENSORS:
        states = ENGLISH["entity"]["sensor"][key_of(description)].get("state", {})
        assert list(states) == list(description.options or []), description.key
        assert bool(states) == (description.device_class is SensorDeviceClass.ENUM)


def test_every_attribute_has_its_word() -> None:
    for description in LINKY_SENSORS:
        for key in filter(None, (key_of(description), description.on_production)):
            words = ENGLISH["entity"]["sensor"][key]
            named = words.get("state_attributes", {})
            assert set(description.attributes) <= set(named), description.key
    of_sums: list[SensorEntityDescription] = [
        *(each for each in COLLECTIVE_SENSORS if each.key not in ("last_acknowledged", "waiting")),
        *PLANT_SENSORS,
        *SIMULATION_SENSORS,
    ]
    named = set[str]()
    for sensor in of_sums:
        words = ENGLISH["entity"]["sensor"][key_of(sensor)]
        assert set(words["state_attributes"]) <= {REASON, *ATTRIBUTES}, sensor.key
        named |= set(words["state_attributes"])
    assert named == {REASON, *ATTRIBUTES}
    for indicator in (CONNECTED, PROBLEM):
        words = ENGLISH["entity"]["binary_sensor"][key_of(indicator)]
        assert set(words["state_attributes"]) == {"reason"}, indicator.key


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_icon_has_its_entity(platform: str) -> None:
    assert set(ICONS[platform]) <= set(ENGLISH["entity"][platform])
    assert list(ICONS[platform]) == sorted(ICONS[platform])
    for key, icon in ICONS[platform].items():
        assert icon["default"].startswith("mdi:"), key
        # hassfest refuses an icon of a state that says what the default says.
        assert icon["default"] not in icon.get("state", {}).values(), key
        words = ENGLISH["entity"][platform][key].get("state", {})
        states = OF_EVERY_SWITCH if platform == "switch" else set(words)
        assert set(icon.get("state", {})) <= states, key


@pytest.mark.parametrize("platform", PLATFORMS)
def test_entities_without_a_class_have_an_icon(platform: str) -> None:
    for description in PLATFORMS[platform]:
        has_one = key_of(description) in ICONS[platform]
        plain = description.device_class in (None, SensorDeviceClass.ENUM)
        assert has_one or not plain, description.key


def errors(cls: type[link.LinkError | client.NodeError]) -> set[str]:
    return {cls.key}.union(*(errors(sub) for sub in cls.__subclasses__()))


def test_every_error_has_its_sentence() -> None:
    assert detection.Noise.key == "noise"
    of_nodes = errors(client.NodeError)
    typed = of_nodes - {client.NoSuchCollective.key}
    links = [each for each in vars(inverter_link).values() if isinstance(each, type)]
    of_inverters = {each.key for each in links if issubclass(each, link.LinkError)}
    of_links = errors(link.LinkError) | {"other_meter"}
    of_homes = {balance_flow.NAMED_TWICE, balance_flow.OF_A_BALANCE}
    of_flows = of_links | typed | of_homes
    of_history = {history_flow.TWICE, history_flow.NOTHING}
    assert set(ENGLISH["config"]["error"]) == of_flows | of_history
    of_files = {*file_flow.REFUSALS.values(), *file_flow.ONLY.values()}
    of_files |= {file_flow.GONE, file_flow.NOTHING_BEFORE}
    of_files |= {file_flow.NOT_COUNTED, file_flow.OTHER_DIRECTION}
    assert set(ENGLISH["options"]["error"]) == of_history | of_files | {NO_COEFFICIENT}
    assert set(file_flow.REFUSALS) == set(Refusal)
    of_a_port = {link.LinkError.key, link.NoSuchPort.key, link.PortBusy.key}
    shown = of_nodes - {client.InvalidUrl.key}
    of_actions = {"not_a_collective", "only_administrators"}
    assert set(ENGLISH["exceptions"]) == of_a_port | of_inverters | shown | of_actions
    for key, exception in ENGLISH["exceptions"].items():
        with_device = key in of_a_port or key == "not_a_collective"
        assert placeholders(exception["message"]) == ({"device"} if with_device else set())


def test_every_error_of_discovery_has_its_sentence() -> None:
    keys = errors(client.NodeError)
    keys -= {cls.key for cls in (client.NoSuchCollective, client.InvalidUrl, client.OtherNode)}
    assert keys <= set(ENGLISH["config"]["abort"])


def test_every_action_has_its_words_and_its_icon() -> None:
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    for described_in in (described, ENGLISH["services"], loaded("icons.json")["services"]):
        assert set(described_in) == set(ACTIONS)
    for name, action in described.items():
        assert set(ENGLISH["services"][name]["fields"]) == set(action["fields"])


def test_every_issue_has_its_words() -> None:
    assert set(ENGLISH["issues"]) == {
        issues.MODE_CHANGED,
        issues.METER_REPLACED,
        issues.WRONG_METER,
        issues.NO_DATA,
        node_issues.SHARING_STUCK,
        node_issues.PERMISSION_EXPIRES,
        node_issues.NEED_CHANGED,
        node_issues.CLOCK_WRONG,
        node_issues.MESSAGE,
        inverter_issues.INVERTER_SILENT,
        inverter_issues.OTHER_INVERTER,
        inverter_issues.COUNTER_RESTARTED,
        inverter_issues.COUNTER_JUMPED,
        tracker.SOURCES_DISAGREE,
        tracker.SOURCES_GONE,
        continuing.HISTORY_JOINED,
        continuing.HISTORY_NOT_JOINED,
    }
    for issue in ENGLISH["issues"].values():
        assert ("description" in issue) != ("fix_flow" in issue)


def test_every_step_explains_its_fields() -> None:
    assert set(ENGLISH["config"]["step"]) == {
        *("user", "meter", "reconfigure_meter", "replaced", "usb_confirm", "confirm"),
        *("inverter", "inverter_line", "inverter_found", "reconfigure_inverter"),
        *("reconfigure_inverter_network", "reconfigure_inverter_line"),
        *("balance", "reconfigure_balance", "balance_sources"),
        *("node", "reconfigure_node", "reauth_confirm", "hassio_confirm"),
        *("history", *history_flow.PAGES.values()),
    }
    menu = ENGLISH["options"]["step"]["init"]
    assert set(menu["menu_options"]) == set(menu["menu_option_descriptions"])
    assert set(menu["menu_options"]) == {"publication", "history", "file", "undo"}
    assert set(ENGLISH["config"]["step"]["user"]["menu_options"]) == {
        *("meter", "inverter", "inverter_line", "balance", "node")
    }
    for step in (*ENGLISH["config"]["step"].values(), *ENGLISH["options"]["step"].values()):
        assert step.get("data", {}).keys() == step.get("data_description", {}).keys()
    per_kwh = {option(register) for register in INDEXES}
    assert set(ENGLISH["options"]["step"]["publication"]["data"]) == per_kwh | {
        const.CONF_POWER_INTERVAL,
        const.CONF_REGISTER_INTERVAL,
        const.CONF_SILENCE,
        const.CONF_RAW_LABELS,
        const.CONF_ESTIMATE_INJECTION,
        const.CONF_INJECTION_PRICE,
    }


def test_every_kind_of_home_has_its_words() -> None:
    assert list(ENGLISH["selector"]["home"]["options"]) == list(Home)


def test_every_key_of_a_simulation_has_its_words() -> None:
    options = ENGLISH["selector"][const.CONF_SHARING_KEY]["options"]
    assert list(options) == list(Key)
    for sensor in SIMULATION_SENSORS:
        words = ENGLISH["entity"]["sensor"][key_of(sensor)]
        assert words["state_attributes"]["key"]["state"] == options


def test_keys_of_entities_are_unique() -> None:
    platforms: tuple[Sequence[EntityDescription], ...] = (
        LINKY_SENSORS,
        INVERTER_SENSORS,
        [*BALANCE_SENSORS, SAVED],
        [*COLLECTIVE_SENSORS, *SURPLUS_SENSORS, *SIMULATION_SENSORS],
        PLANT_SENSORS,
        BINARY_SENSORS,
        [SURPLUS],
        [SHARING],
    )
    for descriptions in platforms:
        keys = [description.key for description in descriptions]
        assert len(keys) == len(set(keys))
