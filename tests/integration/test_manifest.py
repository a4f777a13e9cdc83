"""What hassfest, HACS and Home Assistant's loader ask of the files beside the code."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant import components
from homeassistant.const import Platform
from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import pytest

from custom_components.consometers.const import DOMAIN

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / DOMAIN
MODEL = Path(next(iter(components.__path__))) / "homewizard"
"""Answers every rule that there is."""


def loaded(path: Path) -> Any:
    return json.loads(path.read_text())


MANIFEST: dict[str, Any] = loaded(INTEGRATION / "manifest.json")
HACS: dict[str, Any] = loaded(ROOT / "hacs.json")


def test_the_manifest_has_its_keys_in_order() -> None:
    first, second, *others = MANIFEST
    assert (first, second) == ("domain", "name")
    assert others == sorted(others)


def test_the_manifest_has_the_required_keys() -> None:
    assert MANIFEST["domain"] == INTEGRATION.name
    required = {"codeowners", "documentation", "issue_tracker", "version", "iot_class"}
    assert required | {"integration_type", "config_flow"} <= MANIFEST.keys()
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "local_push"
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])
    for url in (MANIFEST["documentation"], MANIFEST["issue_tracker"]):
        assert url.startswith("https://")


def test_serial_lines_modbus_and_uploads_are_those_of_home_assistant() -> None:
    assert MANIFEST["dependencies"] == ["file_upload", "modbus", "usb"]
    assert MANIFEST["requirements"] == []


def test_only_dongles_made_for_meters_are_discovered() -> None:
    """Probing generic sticks broke other people's radios (Home Assistant core #170875)."""
    for matcher in MANIFEST["usb"]:
        assert matcher["serial_number"] == "tinfo-*"
        for key in ("vid", "pid"):
            assert re.fullmatch(r"[0-9A-F]{4}", matcher[key])


def test_hacs_has_its_keys_and_files() -> None:
    assert HACS.keys() <= {"name", "homeassistant", "country", "content_in_root", "zip_release"}
    assert HACS["name"] == MANIFEST["name"]
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", HACS["homeassistant"])
    assert all(re.fullmatch(r"[A-Z]{2}", country) for country in HACS["country"])
    folders = [
        path.name for path in INTEGRATION.parent.iterdir() if (path / "manifest.json").exists()
    ]
    assert folders == [DOMAIN]
    for name in ("README.md", "LICENSE"):
        assert (ROOT / name).is_file()


def test_there_is_no_strings_json_as_in_core() -> None:
    assert not (INTEGRATION / "strings.json").exists()


def _sizes(name: str) -> Iterator[tuple[int, int]]:
    for prefix in ("", "dark_"):
        path = INTEGRATION / "brand" / f"{prefix}{name}.png"
        if path.exists():
            with Image.open(path) as image:
                assert image.format == "PNG"
                yield image.size


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("icon", 256, 256), ("icon@2x", 512, 512), ("logo", 128, 256), ("logo@2x", 256, 512)],
)
def test_pictures_have_the_sizes_of_brands(name: str, least: int, most: int) -> None:
    sizes = list(_sizes(name))
    assert sizes
    assert all(least <= min(size) <= most for size in sizes)
    assert name.startswith("logo") or set(sizes) == {(least, most)}


def test_each_rule_of_the_quality_scale_is_met_or_does_not_apply() -> None:
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    asked = load_yaml_dict(str(MODEL / "quality_scale.yaml"))["rules"]
    assert asked.keys() <= rules.keys()
    for name, answer in rules.items():
        if answer != "done":
            assert answer["status"] == "exempt", name
            assert answer["comment"].strip(), name


def test_rules_of_dependencies_do_not_apply_without_any() -> None:
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    for name in ("async-dependency", "dependency-transparency"):
        assert (rules[name] != "done") is (MANIFEST["requirements"] == []), name


def test_no_tier_is_claimed() -> None:
    """Home Assistant's maintainers grant tiers, to integrations of core."""
    assert "quality_scale" not in MANIFEST


def test_each_platform_sets_parallel_updates() -> None:
    platforms = [file for name in Platform if (file := INTEGRATION / f"{name}.py").exists()]
    assert platforms
    assert [file for file in platforms if "\nPARALLEL_UPDATES = " not in file.read_text()] == []
