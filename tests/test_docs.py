"""What people read: links lead somewhere, two languages say the same, names are the screen's."""

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, product
import json
import os
from pathlib import Path
import re
from typing import Any
from urllib.parse import unquote

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import EntityDescription
from homeassistant.setup import async_setup_component
from homeassistant.util import slugify
from homeassistant.util.yaml import parse_yaml
import pytest

from consometers_tic import Mode, encode_frame
from consometers_tic_virtual import Contract, Linky, Option
from consometers_tic_virtual.world import World
from custom_components.consometers.balance.saving import SAVED
from custom_components.consometers.balance.sensors import BALANCE_SENSORS
from custom_components.consometers.const import (
    CONF_ESTIMATE_INJECTION,
    CONF_INJECTION_PRICE,
    CONF_POWER_INTERVAL,
    CONF_RAW_LABELS,
    CONF_REGISTER_INTERVAL,
    CONF_SILENCE,
    DEFAULT_POWER_INTERVAL,
    DEFAULT_REGISTER_INTERVAL,
    DEFAULT_SILENCE,
)
from custom_components.consometers.inverter.sensors import sensors as inverter_sensors
from custom_components.consometers.linky.entities.binary_sensors import (
    LinkyBinarySensorDescription,
    binary_sensors,
)
from custom_components.consometers.linky.entities.sensors import (
    LinkySensorDescription,
    estimates,
    price,
    sensors,
)
from custom_components.consometers.linky.state import LinkyState
from custom_components.consometers.node.entities import (
    CONNECTED,
    PROBLEM,
    SHARING,
    SURPLUS,
    SURPLUS_LIKELY,
)
from custom_components.consometers.node.sensors import (
    COLLECTIVE_SENSORS,
    PLANT_SENSORS,
    SIMULATION_SENSORS,
    SURPLUS_SENSORS,
)
from custom_components.consometers.services import ACTIONS
from testing.documentation import (
    LANGUAGES as IN_BLOCKS,
    SHELL,
    anchors,
    blocks,
    commands,
    without_code,
    words_of_code,
)

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / "consometers"

FOLDERS = (".", "addon", "deploy", "docs", "packages/*")
PAGES = sorted(page for at in FOLDERS for page in ROOT.glob(f"{at}/*.md"))
BILINGUAL = [path for path in PAGES if path.name.endswith(".fr.md")]
LANGUAGES = {"en": ROOT / "docs" / "linky.md", "fr": ROOT / "docs" / "linky.fr.md"}
SHARED = {"en": ROOT / "docs" / "sharing.md", "fr": ROOT / "docs" / "sharing.fr.md"}
SUNNY = {"en": ROOT / "docs" / "solar.md", "fr": ROOT / "docs" / "solar.fr.md"}


def key_of(description: EntityDescription) -> str:
    return description.translation_key or description.key


NODE_DESCRIPTIONS: tuple[EntityDescription, ...] = (
    CONNECTED,
    PROBLEM,
    SHARING,
    SURPLUS,
    SURPLUS_LIKELY,
    *COLLECTIVE_SENSORS,
    *PLANT_SENSORS,
    *SIMULATION_SENSORS,
    *SURPLUS_SENSORS,
)
NODE_ENTITIES = set(map(key_of, NODE_DESCRIPTIONS))
METER_ENTITIES = set(map(key_of, (*sensors(), *estimates(), price("EUR"), *binary_sensors())))
INVERTER_DESCRIPTIONS = {key_of(each): each for each in inverter_sensors()}
HOME_ENTITIES = set(map(key_of, [*BALANCE_SENSORS, SAVED]))

REGISTRY_HOSTS = ("pypi.org", "pythonhosted.org", "npmjs.", "ghcr.io", "docker.io", "crates.io")
FILLED = {"tariff": "HP BLEU", "label": "EAST", "name": "…"}
"""What stands in the pages for the changing part of a name; for a number it is n."""

RARE_ENTITIES = {
    *("short_message", "schedule_peak_day", "price"),
    *("next_tariff", "next_tariff_start"),
}
"""What a meter has on some days only, or where prices were given."""

type Description = LinkySensorDescription | LinkyBinarySensorDescription
type Meters = frozenset[tuple[Mode, int, bool]]
ALL: Meters = frozenset(
    (mode, phases, producer)
    for mode, phases, producer in product(Mode, (1, 3), (False, True))
    if not (mode is Mode.HISTORIQUE and producer)
)


def meters(condition: Callable[[Mode, int, bool], bool]) -> Meters:
    return frozenset(meter for meter in ALL if condition(*meter))


STANDARD = meters(lambda mode, phases, producer: mode is Mode.STANDARD)
HISTORIQUE = ALL - STANDARD
SINGLE = meters(lambda mode, phases, producer: phases == 1)
THREE = ALL - SINGLE
PRODUCER = meters(lambda mode, phases, producer: producer)

WHEN = {
    "always": ALL,
    "standard": STANDARD,
    "standard, producer": PRODUCER,
    "standard, single-phase": STANDARD & SINGLE,
    "standard, single-phase, not producer": (STANDARD & SINGLE) - PRODUCER,
    "standard, three-phase": STANDARD & THREE,
    "standard, or three-phase": STANDARD | THREE,
    "single-phase": SINGLE,
    "three-phase": THREE,
    "historique": HISTORIQUE,
    "historique, single-phase": HISTORIQUE & SINGLE,
    "historique, three-phase": HISTORIQUE & THREE,
}
NO = {"en": "no", "fr": "non"}
NONE = {"en": "none", "fr": "aucun"}
IN_FRENCH = {
    "always": "toujours",
    "not producer": "non producteur",
    "producer": "producteur",
    "with prices": "avec des prix",
    "or three-phase": "ou triphasé",
    "single-phase": "monophasé",
    "three-phase": "triphasé",
}


def translations(language: str) -> dict[str, Any]:
    strings: dict[str, Any] = json.loads(
        (INTEGRATION / f"translations/{language}.json").read_text()
    )
    return strings


def shown(name: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: FILLED.get(match[1], "n"), name)


def names(language: str) -> Mapping[str, str]:
    """The names of entities as the pages write them, by translation key."""
    entities = translations(language)["entity"]
    return {
        key: shown(entity["name"])
        for entities_of_platform in entities.values()
        for key, entity in entities_of_platform.items()
    }


def targets(page: Path) -> Iterator[str]:
    text = without_code(page.read_text())
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r"""(?:src|srcset|href)=["']([^"']+)["']""", text)


def headings(page: Path) -> list[str]:
    return re.findall(r"^(#+) ", without_code(page.read_text()), re.MULTILINE)


def rows(page: Path) -> dict[str, list[str]]:
    """The rows of all tables, by their first cell."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def descriptions() -> Iterator[Description]:
    yield from chain(sensors(), estimates(), [price("EUR")])
    yield from binary_sensors()


def by_name() -> dict[str, Description]:
    """One description for each name, by translation key."""
    return {key_of(description): description for description in descriptions()}


def unit(description: Description) -> str:
    if isinstance(description, LinkyBinarySensorDescription):
        return ""
    return description.suggested_unit_of_measurement or description.native_unit_of_measurement or ""


def seen() -> dict[str, Meters]:
    """Which meters have what, by translation key: asked of virtual ones, under all contracts."""
    modes: dict[str, set[tuple[Mode, int, bool]]] = {}
    for (mode, phases, producer), option in product(ALL, Option):
        kva = {1: 9, 3: 36}[phases]
        contract = Contract(option=option, phases=phases, producer=producer, reference_kva=kva)
        linky = Linky(World(phases=phases), contract, mode=mode)
        state = LinkyState()
        # A day later there is a load curve too.
        for second in range(12):
            frame = linky.frame(linky.since + 86_400 + second)
            state.feed(encode_frame(frame), float(second))
        for description in descriptions():
            if description.exists(state):
                key = key_of(description)
                modes.setdefault(key, set()).add((mode, phases, producer))
    return {key: frozenset(when) for key, when in modes.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_have_existing_targets(page: Path) -> None:
    for target in targets(page):
        if re.match(r"https?://", target):
            assert not any(host in target for host in REGISTRY_HOSTS), target
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert file.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_block_names_its_language(page: Path) -> None:
    """So that no command stands in a block whose commands no test reads."""
    on_page = blocks(page)
    assert {block.language for block in on_page} <= IN_BLOCKS
    for block in on_page:
        for line in block.lines:
            assert block.language == SHELL or not re.match(r" *(sudo|script/\w+|\./\w+) ", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_scripts_exist(page: Path) -> None:
    for line in [*commands(page), *words_of_code(page)]:
        for folder, name in re.findall(r"^(?:sudo )?(script|\.)/([\w-]+)(?= |$)", line):
            script = ROOT / ("deploy" if folder == "." else folder) / name
            assert os.access(script, os.X_OK), line


def test_each_place_of_a_change_exists() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.split("## Where to change what\n")[1].split("\n## ")[0]
    rows = [row.split("|")[2] for row in table.splitlines()[2:] if row]
    assert len(rows) >= 20
    for row in rows:
        first, *others = re.findall("`(.+?)`", row)
        # The others are in the same program.
        program = ROOT.joinpath(*Path(first).parts[:2])
        places = [ROOT / first, *(program / other for other in others)]
        for place in places:
            assert place.exists() or (ROOT / place.relative_to(program)).exists(), place


def test_examples_of_tests_stand_in_the_tests() -> None:
    page = (ROOT / "docs/testing.md").read_text()
    examples = re.findall(r"\]\(\.\./(.+?)\)\n\n```python\n(.+?)```", page, re.DOTALL)
    assert len(examples) == page.count("```python")
    for file, example in examples:
        assert example in (ROOT / file).read_text(), file


def test_the_page_of_tests_lists_what_they_share() -> None:
    folder = ROOT / "testing"
    rows = {
        f"| `{module.relative_to(folder)}` | {ast.get_docstring(ast.parse(module.read_text()))} |"
        for module in folder.rglob("*.py")
        if module.name != "__init__.py"
    }
    page = (ROOT / "docs/testing.md").read_text()
    listed = set(re.findall(r"^\| `.+$", page, re.MULTILINE))
    assert listed == {row.split("\n")[0].removesuffix(" |") + " |" for row in rows}


def test_the_security_page_lists_every_attack() -> None:
    tried = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/hostile").rglob("test_*.py")}
    assert tried - set(targets(ROOT / "SECURITY.md")) == set()


@pytest.mark.parametrize("french", BILINGUAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_languages_have_the_same_chapters_and_link_each_other(french: Path) -> None:
    english = french.with_name(french.name.replace(".fr.md", ".md"))
    assert headings(english) == headings(french)
    assert french.name in targets(english)
    assert english.name in targets(french)
    assert english.read_text().count("```") == french.read_text().count("```")


@pytest.mark.parametrize("french", BILINGUAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_french_prose_has_typographic_apostrophes(french: Path) -> None:
    prose = without_code(french.read_text())
    for name in names("fr").values():
        prose = prose.replace(name, "")
    assert re.findall(r"[^\W\d_]+'\w*", prose) == []
    assert not re.search(r"\bpermission", prose.replace("### permissions", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entity_is_explained_under_its_own_name(language: str) -> None:
    meter_page, node_rows = LANGUAGES[language].read_text(), rows(SHARED[language])
    inverter_rows = rows(SUNNY[language])
    missing = [
        name
        for key, name in names(language).items()
        if name
        not in (
            node_rows
            if key in NODE_ENTITIES
            else inverter_rows
            if key in (INVERTER_DESCRIPTIONS.keys() | HOME_ENTITIES) - METER_ENTITIES
            else meter_page
        )
    ]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_state_the_enabled_entities_of_an_inverter(language: str) -> None:
    table = rows(SUNNY[language])
    entity_names = names(language)
    for key, description in INVERTER_DESCRIPTIONS.items():
        if key not in ("current_phase", "voltage_phase"):
            _, enabled, _ = table[entity_names[key]]
            assert enabled == ("✓" if description.entity_registry_enabled_default else "–"), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_state_units_and_defaults_of_entities(language: str) -> None:
    table = rows(LANGUAGES[language])
    entity_names = names(language)
    for key, description in by_name().items():
        described_unit, _, by_default, _ = table[entity_names[key]]
        assert described_unit == unit(description), key
        assert by_default == ("✓" if description.entity_registry_enabled_default else "–"), key


def test_tables_state_the_meters_of_each_entity() -> None:
    table = rows(LANGUAGES["en"])
    entity_names = names("en")
    having = seen()
    assert by_name().keys() - having.keys() == RARE_ENTITIES
    for key, modes in having.items():
        assert WHEN[table[entity_names[key]][1]] == modes, key


def test_both_languages_state_the_same_meters() -> None:
    tables = {language: rows(page) for language, page in LANGUAGES.items()}
    english, french = names("en"), names("fr")
    for key in by_name():
        when = tables["en"][english[key]][1].split(", ")
        in_french = ", ".join(IN_FRENCH.get(part, part) for part in when)
        assert tables["fr"][french[key]][1] == in_french, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_of_the_setup_is_explained(language: str) -> None:
    pages = (LANGUAGES, SHARED, SUNNY)
    page = "".join(each[language].read_text() for each in pages)
    config = translations(language)["config"]
    messages = [*config["error"].values(), config["abort"]["already_configured"]]
    first_sentences = [re.split(r"(?<=\.) ", message)[0] for message in messages]
    assert [sentence for sentence in first_sentences if f"| {sentence} |" not in page] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_is_explained_with_its_default(language: str) -> None:
    table = rows(LANGUAGES[language])
    options = translations(language)["options"]["step"]["publication"]["data"]
    per_kwh = {key for key in options if key.startswith("price_")}
    assert {options[key].partition(",")[0] for key in per_kwh} <= table.keys()
    defaults = {key: table[name][0] for key, name in options.items() if key not in per_kwh}
    assert defaults == {
        CONF_POWER_INTERVAL: f"{DEFAULT_POWER_INTERVAL} s",
        CONF_REGISTER_INTERVAL: f"{DEFAULT_REGISTER_INTERVAL} s",
        CONF_SILENCE: f"{DEFAULT_SILENCE} s",
        CONF_RAW_LABELS: NO[language],
        CONF_ESTIMATE_INJECTION: NO[language],
        CONF_INJECTION_PRICE: NONE[language],
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_repair_is_explained(language: str) -> None:
    table = rows(LANGUAGES[language]) | rows(SHARED[language]) | rows(SUNNY[language])
    issues = translations(language)["issues"].values()
    notices = [shown(re.sub(r"^\{title\} ?: ", "", issue["title"])) for issue in issues]
    assert [notice for notice in notices if notice not in table] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_is_explained(language: str) -> None:
    table = rows(SHARED[language])
    assert [name for name in ACTIONS if f"`consometers.{name}`" not in table] == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_automations_are_valid_and_name_entities_that_exist(
    hass: HomeAssistant, language: str
) -> None:
    text = LANGUAGES[language].read_text() + SHARED[language].read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert await async_setup_component(
        hass, "automation", {"automation": [parse_yaml(block) for block in blocks]}
    )
    states = hass.states.async_all("automation")
    assert [state.state for state in states] == ["on"] * len(blocks)
    device = translations(language)["device"]["linky"]["name"]
    exist = {slugify(f"{device} {name}") for name in names(language).values()}
    used = re.findall(r"sensor\.(linky_\w+)", LANGUAGES[language].read_text())
    assert used
    assert set(used) <= exist
