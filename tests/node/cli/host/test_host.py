"""A host on the command line: set up, and who administers its pages."""

import asyncio
from pathlib import Path
import stat

import pytest

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import Passwords
from consometers_node.host.settings import KEYS, read
from testing.commands.collective import INIT, writing
from testing.commands.fixtures import Run, at_a_terminal
from testing.setting_examples import examples

REQUIRED = {
    name: value
    for name, value in examples(KEYS).items()
    if KEYS[name].required and name != "component.secret_file"
}
INIT_HOST = (
    *("init", "--role", "host"),
    *(word for name, value in REQUIRED.items() for word in ("--set", f"{name}={value}")),
)


@pytest.fixture
async def host(run: Run, tmp_path: Path) -> Path:
    """The folder of a host that was set up."""
    await run.ok(*INIT_HOST)
    return tmp_path / "share" / "consometers"


# init


@pytest.mark.cold
async def test_init_writes_settings_that_can_be_read_and_a_secret(run: Run, host: Path) -> None:
    settings = read(host / "host.toml", {})
    assert settings.domain == REQUIRED["domain"]
    assert settings.operator.contact == REQUIRED["operator.contact"]
    secret = settings.component.secret_file
    assert secret == host / "component-secret"
    assert len(secret.read_text().strip()) == 64
    for file in (secret, host / "host.toml"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await run.condition(*INIT_HOST) == "exists"


async def test_init_says_what_comes_next(run: Run, tmp_path: Path) -> None:
    result = await run.ok(*INIT_HOST, language="fr_FR.UTF-8")
    assert str(tmp_path / "share" / "consometers" / "component-secret") in result.out
    assert "run --role host" in result.out
    in_file = (tmp_path / "share" / "consometers" / "host.toml").read_text()
    assert "# Laisser chacun créer un espace." in in_file


async def test_init_keeps_a_secret_that_the_server_has(run: Run, host: Path) -> None:
    secret = (host / "component-secret").read_text()
    (host / "host.toml").unlink()
    await run.ok(*INIT_HOST)
    assert (host / "component-secret").read_text() == secret


async def test_init_takes_each_declared_setting(run: Run, tmp_path: Path) -> None:
    file, secret = tmp_path / "ours.toml", tmp_path / "secret"
    secret.write_text("s3cret\n")
    typed = examples(KEYS) | {"component.secret_file": str(secret)}
    options = [word for name, value in typed.items() for word in ("--set", f"{name}={value}")]
    document = await run.json("init", "--role", "host", *options, "--settings", file)
    assert document == {"file": str(file), "domain": typed["domain"]}
    variables = {KEYS[name].variable: value for name, value in typed.items()}
    assert read(file, {}) == read(tmp_path / "none.toml", variables)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--identifier", "ours"), "--identifier: is not an option of --role host"),
        (("--set", "most_spaces=0"), "write a number of spaces, from 1 to 100000"),
        (("--set", "operator.nme=Ours"), "Did you mean “operator.name”?"),
        (("--set", "component.secret_file=none"), "there is no such file"),
    ],
)
async def test_init_refuses_what_a_host_has_not(
    run: Run, tmp_path: Path, wrong: tuple[str, str], words: str
) -> None:
    refused = await run(*INIT_HOST, *wrong)
    assert refused.status == 2
    assert words in refused.err
    assert not (tmp_path / "share").exists()


async def test_a_collective_has_no_option_of_a_host(run: Run) -> None:
    refused = await run(*INIT, "--domain", "foyers.example")
    assert (refused.status, "--role collective" in refused.err) == (2, True)


async def test_a_missing_setting_is_named_by_its_option(run: Run) -> None:
    missing = await run("init", "--role", "host", "--name", "Only", language="fr")
    assert "--domain\u00a0: aucun terminal pour le demander" in missing.err
    missing = await run("init", "--role", "host", *INIT_HOST[3:7])
    assert "--set operator.name: there is no terminal" in missing.err


async def test_one_folder_is_for_one_node(run: Run, coop: Path) -> None:
    assert await run.condition(*INIT_HOST) == "exists"
    assert not (coop / "host.toml").exists()
    (coop / "collective.toml").unlink()
    await run.ok(*INIT_HOST)
    assert await run.condition(*INIT) == "exists"


async def test_init_asks_for_missing_settings(environment: dict[str, str], tmp_path: Path) -> None:
    typed = [
        "Foyers de Kersabiec",
        *("foyers@kersabiec.example", "foyers.kersabiec.example"),
        "",
        "1 rue du Four, 44350 Kersabiec",
        *("Kersabiec", "contact@kersabiec.example"),
        "Kersabiec, à la mairie",
        *("", "", ""),
    ]
    command = ("init", "--role", "host")
    status, screen = await asyncio.to_thread(at_a_terminal, environment, "fr", command, typed)
    assert status == 0, screen
    settings = read(tmp_path / "share" / "consometers" / "host.toml", {})
    assert (settings.domain, settings.component.proof) == (
        "foyers.kersabiec.example",
        "kersabiec.example",
    )
    assert settings.operator.name == "Foyers de Kersabiec"
    assert settings.operator.contact == "contact@kersabiec.example"
    assert settings.page.url == "https://foyers.kersabiec.example"
    assert settings.time_zone.key == "Europe/Paris"
    assert "Écrivez un domaine" in screen
    assert settings.component.secret_file.read_text().strip() not in screen


# Whose node it is


@pytest.mark.parametrize("way", ["folder", "settings", "other name", "variable"])
async def test_administrators_are_those_of_the_host(run: Run, host: Path, way: str) -> None:
    options: tuple[object, ...] = ()
    variables = {}
    if way == "settings":
        options = ("--settings", host / "host.toml")
    elif way == "other name":
        options = ("--settings", (host / "host.toml").rename(host / "ours.toml"))
    elif way == "variable":
        (host / "host.toml").unlink()
        values = REQUIRED | {"component.secret_file": "secret"}
        variables = {KEYS[name].variable: value for name, value in values.items()}
    made = str((await run.json("admins", "add", "Accueil", *options, **variables))["password"])
    (administrator,) = await run.json("admins", "list", *options, **variables)
    assert administrator["name"] == "Accueil"
    async with writing(host) as connection:
        hashed = await administrators.password_hash(connection, "Accueil")
    assert await Passwords().check(hashed, made)
    await run.ok("admins", "remove", "Accueil", *options, **variables)
    assert await run.json("admins", "list", *options, **variables) == []


async def test_invalid_passwords_and_names_are_refused(run: Run, host: Path) -> None:
    short = await run(*("admins", "add", "Anne", "--json", "--password-file", "-"), typed="short\n")
    assert (short.status, short.condition) == (1, "bad-password")
    assert await run.condition("admins", "password", "Anne") == "unknown"


async def test_wrong_settings_are_refused_with_their_line(run: Run, host: Path) -> None:
    file = host / "host.toml"
    file.write_text(file.read_text().replace("# most_spaces = 1000", "most_spaces = 0"))
    refused = await run("admins", "list", "--json", language="fr_FR.UTF-8")
    assert refused.condition == "settings"
    assert refused.message.startswith(f"{file}, ligne ")
    assert "most_spaces" in refused.message


async def test_without_settings_a_command_says_what_to_do(run: Run, tmp_path: Path) -> None:
    refused = await run("admins", "list", "--settings", tmp_path / "host.toml")
    assert "“consometers-node init --role host” writes it" in refused.err


@pytest.mark.parametrize("command", ["status", "export", "erase", "confirm-clock"])
async def test_a_host_is_not_taken_for_a_household(run: Run, host: Path, command: str) -> None:
    yes = ("--yes",) if command == "erase" else ()
    assert await run.condition(command, *yes) == "host"
    assert not (host / "node.db").exists()
