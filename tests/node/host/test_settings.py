"""The settings of a host: a file, and variables that count more."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from consometers_node.host.accounts.terms import Operator
from consometers_node.host.settings import FILE, KEYS, HostSettings, read
from consometers_node.settings_file.file import BadSettings
from consometers_node.settings_file.schema import Key, written as written_value
from consometers_quoalise_network import Security, Server
from testing.hosts.settings import FULL_SETTINGS, LEAST_SETTINGS
from testing.setting_examples import examples

EXAMPLES = examples(KEYS)


def written(folder: Path, settings: str) -> Path:
    file = folder / "host.toml"
    file.write_text(settings)
    return file


def value_of(settings: HostSettings, name: str) -> Any:
    key = KEYS[name]
    section = getattr(settings, key.section, settings) if key.section else settings
    return key.value(section)


def test_minimal_file_has_defaults(tmp_path: Path) -> None:
    settings = read(written(tmp_path, LEAST_SETTINGS), {})
    assert settings.name == "Foyers de Kersabiec"
    assert settings.operator == Operator(
        name="Énergies de Kersabiec",
        address="1 rue du Four, 44350 Kersabiec",
        contact="contact@kersabiec.example",
        location="Kersabiec, in the town hall",
    )
    assert (settings.folder, settings.database) == (tmp_path, tmp_path / "node.db")
    assert (settings.language, settings.time_zone) == ("fr", ZoneInfo("Europe/Paris"))
    assert not settings.is_open
    assert settings.most_spaces == 1000
    assert settings.component.secret_file == tmp_path / "component-secret"
    assert all(network.is_loopback for network in settings.page.proxies)


def test_server_that_proves_itself_is_that_of_the_component(tmp_path: Path) -> None:
    component = read(written(tmp_path, FULL_SETTINGS), {}).component
    assert (component.host, component.port, component.proof) == (
        "prosody",
        5348,
        "kersabiec.example",
    )
    assert component.proof_server == Server(
        host="prosody", port=5223, security=Security.STARTTLS, ca_file=tmp_path / "ca.pem"
    )


def test_domain_is_prepared_as_in_addresses(tmp_path: Path) -> None:
    assert read(written(tmp_path, FULL_SETTINGS), {}).domain == "foyers.example"


@pytest.mark.parametrize("way", ["file", "variables"])
def test_each_declared_setting_is_read(tmp_path: Path, way: str) -> None:
    if way == "file":
        meant = {name: KEYS[name].read(example, Path()) for name, example in EXAMPLES.items()}
        in_file = FILE.write({name: written_value(value) for name, value in meant.items()}, "fr")
        settings = read(written(tmp_path, in_file), {})
    else:
        environment = {KEYS[name].variable: example for name, example in EXAMPLES.items()}
        settings = read(tmp_path / "host.toml", environment)
    for name, key in KEYS.items():
        assert value_of(settings, name) == key.read(EXAMPLES[name], Path()), name


def test_variables_override_the_file(tmp_path: Path) -> None:
    environment = {
        "CONSOMETERS_NAME": "Kermelo",
        "CONSOMETERS_IS_OPEN": "true",
        "CONSOMETERS_OPERATOR_NAME": "Mairie de Kermelo",
        "CONSOMETERS_COMPONENT_HOST": "xmpp",
    }
    settings = read(written(tmp_path, LEAST_SETTINGS), environment)
    assert (settings.name, settings.operator.name) == ("Kermelo", "Mairie de Kermelo")
    assert settings.is_open
    assert settings.component.proof_server.host == "xmpp"


def test_folder_argument_overrides_the_file(tmp_path: Path) -> None:
    settings = read(written(tmp_path, FULL_SETTINGS), {}, Path("/chosen"))
    assert settings.folder == Path("/chosen")


WRONG = [
    ('name = "Foyers de Kersabiec"', "name = 3", 1, "name"),
    ('"Foyers.example"', '"name@foyers.example"', 2, "domain"),
    ('"Foyers.example"', '"foyers.example/host"', 2, "domain"),
    ('"Foyers.example"', '""', 2, "domain"),
    ('"Foyers.example"', '"foyers example"', 2, "domain"),
    ('"Foyers.example"', '["foyers.example"]', 2, "domain"),
    ("postgresql", "mysql", 4, "database"),
    ('language = "en"', 'language = "br"', 5, "language"),
    ("is_open = true", "is_open = 1", 7, "is_open"),
    ("is_open = true", 'is_open = "yes"', 7, "is_open"),
    ("most_spaces = 500", "most_spaces = 0", 8, "most_spaces"),
    ("most_spaces = 500", "most_spaces = 100001", 8, "most_spaces"),
    ('address = "1 rue', f'address = "{"a" * 500}', 12, "operator.address"),
    ('"contact@kersabiec.example"', '"kersabiec.example"', 13, "operator.contact"),
    ("port = 5348", "port = 0", 18, "component.port"),
    ('secret_file = "/secrets/component"', "secret_file = true", 19, "component.secret_file"),
    ('proof = "kersabiec.example"', "proof = true", 20, "component.proof"),
    ("5223", "65536", 21, "component.proof_port"),
    ("172.31.250.0/24", "::/0", 27, "page.proxies"),
    ("https://foyers.example", "foyers.example", 28, "page.url"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "key"), WRONG)
def test_a_wrong_value_is_reported_with_its_file_and_line(
    tmp_path: Path, right: str, wrong: str, line: int, key: str
) -> None:
    assert right in FULL_SETTINGS
    file = written(tmp_path, FULL_SETTINGS.replace(right, wrong))
    with pytest.raises(BadSettings) as caught:
        read(file, {})
    for language, separator in (("en", ":"), ("fr", " :")):
        words = caught.value.text.say(language)
        assert words.startswith(f"{file}, li")
        assert f" {line}{separator}" in words
        assert key in words
    assert KEYS[key].format.hint.say("fr") in caught.value.text.say("fr")


@pytest.mark.parametrize("key", [key for key in KEYS.values() if key.required])
def test_a_missing_setting_is_named(tmp_path: Path, key: Key) -> None:
    values = {name: EXAMPLES[name] for name, each in KEYS.items() if each.required}
    file = written(tmp_path, FILE.write(values | {key.name: ""}, "en"))
    lines = [line for line in file.read_text().splitlines() if not line.endswith(' = ""')]
    file.write_text("\n".join(lines))
    with pytest.raises(BadSettings) as caught:
        read(file, {})
    assert str(caught.value).startswith(
        f"{file}: “{key.name}” is missing, here or in {key.variable}:"
    )
    assert read(file, {key.variable: EXAMPLES[key.name]}).name


def test_an_unknown_key_is_reported_with_a_similar_one(tmp_path: Path) -> None:
    file = written(tmp_path, LEAST_SETTINGS.replace("location", "locaton"))
    with pytest.raises(BadSettings, match=r"line 8: .* Did you mean “operator\.location”\?"):
        read(file, {})


def test_the_settings_of_a_collective_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, 'name = "Kersabiec"\nidentifier = "kersabiec"\n')
    with pytest.raises(BadSettings, match="line 2: “identifier” is unknown"):
        read(file, {})


def test_a_wrong_variable_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="CONSOMETERS_MOST_SPACES: “most_spaces”"):
        read(written(tmp_path, LEAST_SETTINGS), {"CONSOMETERS_MOST_SPACES": "many"})


@pytest.mark.parametrize("language", ["en", "fr"])
def test_written_file_has_the_answers_and_every_key_with_its_default(
    tmp_path: Path, language: str
) -> None:
    values = {name: EXAMPLES[name] for name, key in KEYS.items() if key.required}
    in_file = FILE.write(values, language)
    assert read(written(tmp_path, in_file), {}).domain == EXAMPLES["domain"]
    lines = in_file.splitlines()
    for key in KEYS.values():
        assert any(line.removeprefix("# ").startswith(f"{key.last_name} =") for line in lines)
    assert "# is_open = false" in lines
    assert KEYS["is_open"].what.say(language) in in_file
    assert max(map(len, lines)) <= 100
