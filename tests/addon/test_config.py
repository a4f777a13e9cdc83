"""The app's configuration is right, asks for no more than it needs, and fits the program."""

import json
from pathlib import PurePosixPath
import re
import shlex
import subprocess
from typing import Any, get_args, get_type_hints

from homeassistant.util.yaml import load_yaml_dict
from PIL import Image
import probatio as vol
import pytest
from typer.main import get_group

from consometers_node.cli.app import COMMANDS, PROGRAM
from consometers_node.cli.node import run
from consometers_node.store import keys
from custom_components.consometers.const import DOMAIN
from testing.addon import app, service
from testing.addon.installed import ADDON
from testing.checkout import ROOT

CONFIG = load_yaml_dict(str(ADDON / "config.yaml"))
DOCKERFILE = (ADDON / "Dockerfile").read_text()
SERVICES = ADDON / "rootfs/etc/s6-overlay/s6-rc.d"
LANGUAGES = ("en", "fr")
PORT = CONFIG.get("ingress_port", app.defaults()["ingress_port"])

NO_RIGHTS = {"name", "version", "slug", "description", "url", "image", "arch", "init"} | {
    "homeassistant",
    "panel_admin",
    "panel_icon",
    "panel_title",
    "backup_pre",
    "backup_exclude",
    "options",
    "schema",
}
RIGHTS = {"homeassistant_api", "discovery", "ingress"}
"""What it may do beyond having a network and a folder."""


def translations(language: str) -> dict[str, Any]:
    return dict(load_yaml_dict(str(ADDON / "translations" / f"{language}.yaml")))


def listed() -> list[str]:
    printed = subprocess.check_output(
        ("git", "ls-files", "--cached", "--others", "--exclude-standard"), text=True, cwd=ROOT
    )
    return printed.splitlines()


def test_the_configuration_matches_the_documented_schema() -> None:
    app.CONFIG(dict(CONFIG))


@pytest.mark.parametrize(
    ("key", "value"),
    [("watchdog", "tcp://[HOST]:8099"), ("ingres", True), ("arch", ["armv7"]), ("map", ["share"])],
)
def test_invalid_configurations_are_refused(key: str, value: object) -> None:
    with pytest.raises(vol.Invalid):
        app.CONFIG({**CONFIG, key: value})


def test_no_key_repeats_a_default() -> None:
    """Home Assistant's linter refuses them."""
    same = {key for key, value in app.defaults().items() if CONFIG.get(key) == value}
    assert same == set()


def test_the_app_has_only_the_needed_rights() -> None:
    assert CONFIG.keys() == RIGHTS | NO_RIGHTS


def test_the_supervisor_finds_one_configuration() -> None:
    pattern = re.compile(r"(.*/)?config\.(json|ya?ml)")
    assert [name for name in listed() if pattern.fullmatch(name)] == ["addon/config.yaml"]


def test_the_app_matches_the_integration() -> None:
    manifest = json.loads((ROOT / "custom_components" / DOMAIN / "manifest.json").read_text())
    assert CONFIG["discovery"] == [DOMAIN]
    assert CONFIG["url"] == manifest["documentation"]
    assert CONFIG["homeassistant"] == json.loads((ROOT / "hacs.json").read_text())["homeassistant"]


def test_the_repository_file_is_valid() -> None:
    repository = load_yaml_dict(str(ROOT / "repository.yaml"))
    app.REPOSITORY(dict(repository))
    assert repository["url"] == CONFIG["url"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_option_is_explained(language: str) -> None:
    words = translations(language)
    app.TRANSLATIONS(words)
    assert CONFIG["options"].keys() == CONFIG["schema"].keys() == words["configuration"].keys()


def test_the_log_levels_are_those_of_the_program() -> None:
    params = get_group(run.commands.all).commands["run"].params
    (level,) = (param for param in params if param.name == "log_level")
    choices = "|".join(get_args(get_type_hints(run.run)["log_level"]))
    assert CONFIG["schema"]["log_level"] == f"list({choices})"
    assert CONFIG["options"]["log_level"] == level.default


def test_the_service_listens_where_ingress_and_docker_connect() -> None:
    name, *words = service.command()
    params = get_group(run.commands.all).commands["run"].params
    assert name == "run"
    options = {option for param in params for option in param.opts}
    assert {word for word in words if word.startswith("--")} <= options
    assert words[words.index("--page") + 1] == f"0.0.0.0:{PORT}"
    assert f'"http://127.0.0.1:{PORT}/health"' in DOCKERFILE


def test_the_backup_hook_is_an_existing_command() -> None:
    program, command = shlex.split(CONFIG["backup_pre"])
    assert program == PROGRAM
    assert command in COMMANDS
    assert "\nENV CONSOMETERS_DATA=/data\n" in DOCKERFILE


def test_a_backup_has_all_but_the_keys() -> None:
    """Supervisor matches each pattern with the path of a file, as pathlib does."""

    def is_excluded(name: str) -> bool:
        path = PurePosixPath("/data/addons/data/consometers", name)
        return any(path.match(pattern) for pattern in CONFIG["backup_exclude"])

    assert is_excluded(keys.FILE)
    assert is_excluded(f"{keys.FILE}-journal")
    assert not any(map(is_excluded, ("node.db", "node.db-wal", "options.json", "node.reserve")))


def test_the_init_system_knows_the_service() -> None:
    ours = SERVICES / "consometers"
    assert (ours / "type").read_text() == "longrun\n"
    for name, interpreter in (("run", "/command/with-contenv bash"), ("finish", "/bin/bash")):
        shebang, *_ = (ours / name).read_text().splitlines()
        assert shebang == f"#!{interpreter}"
        assert (ours / name).stat().st_mode & 0o111


def test_no_folder_of_bundles_hides_the_one_of_the_base() -> None:
    """s6-overlay reads no other where it finds `s6-rc.d/user`, and warns."""
    assert [folder.name for folder in SERVICES.iterdir()] == ["consometers"]


def test_the_image_has_one_versioned_base() -> None:
    stages = re.findall(r"^FROM (?:--\S+ )?([^\s@]+)", DOCKERFILE, re.MULTILINE)
    assets, *others = stages
    assert re.fullmatch(r"node:\d+-alpine", assets)
    assert set(others) == {"ghcr.io/home-assistant/base-python:3.14-alpine3.24"}
    assert f'io.hass.name="{CONFIG["name"]}"' in DOCKERFILE


@pytest.mark.parametrize(("name", "height"), [("icon", 128), ("logo", 100)])
def test_the_store_shows_pictures_of_its_size(name: str, height: int) -> None:
    with Image.open(ADDON / f"{name}.png") as picture:
        assert picture.format == "PNG"
        assert picture.height == height
        assert name == "logo" or picture.width == height


def test_the_lock_of_assets_names_no_host() -> None:
    lock = json.loads((ADDON / "package-lock.json").read_text())
    asked = json.loads((ADDON / "package.json").read_text())["dependencies"]
    packages = {
        name.removeprefix("node_modules/"): package
        for name, package in lock["packages"].items()
        if name
    }
    assert {name: package["version"] for name, package in packages.items()} == asked
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_pages_are_written_in_both_languages() -> None:
    for name in ("README.md", "DOCS.md", "CHANGELOG.md"):
        text = (ADDON / name).read_text()
        assert " the " in text, name
        assert " le " in text, name
