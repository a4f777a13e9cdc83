"""The settings of a collective: a file, and variables that count more."""

from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from consometers_node.collective.about import NOTICES
from consometers_node.collective.settings import (
    KEYS,
    MailSettings,
    MetricsSettings,
    PublicationSettings,
)
from consometers_node.collective.settings_file import FILE, read
from consometers_node.collective.settings_formats import SmtpSecurity
from consometers_node.series import Interval
from consometers_node.settings_file.file import BadSettings
from consometers_node.settings_file.schema import Key, written as written_value
from consometers_quoalise_network import Security
from testing.collectives.settings import FULL_SETTINGS, LEAST_SETTINGS
from testing.setting_examples import examples

NAME = "collective.toml"
EXAMPLES = examples(KEYS)


def written(folder: Path, settings: str) -> Path:
    file = folder / NAME
    file.write_text(settings)
    return file


def test_minimal_file_has_defaults(tmp_path: Path) -> None:
    settings = read(written(tmp_path, LEAST_SETTINGS), {})
    assert settings.name == "Énergies de Kersabiec"
    assert str(settings.device) == "urn:dev:org:60060-kersabiec"
    assert settings.database == tmp_path / "node.db"
    assert settings.time_zone == ZoneInfo("Europe/Paris")
    assert settings.publication.minimum == 10
    assert all(network.is_loopback for network in settings.page.proxies)


def test_full_file_is_read(tmp_path: Path) -> None:
    settings = read(written(tmp_path, FULL_SETTINGS), {})
    assert settings.folder == Path("/var/lib/consometers")
    assert settings.database == "postgresql://node@/collective"
    assert settings.time_zone == ZoneInfo("Indian/Reunion")
    assert settings.location == "Saint-Denis, in the town hall"
    assert settings.needs == (tmp_path / "needs/roof.toml", Path("/etc/consometers/sums.toml"))
    server = settings.xmpp.server
    assert (server.host, server.port, server.security) == ("localhost", 5223, Security.DIRECT)
    assert server.ca_file == tmp_path / "ca.pem"
    assert settings.xmpp.password_file == tmp_path / "password"
    assert settings.xmpp.account_command[-1] == "create_account"
    assert settings.xmpp.account_removal_command[-1] == "delete"
    assert (settings.page.host, settings.page.port) == ("0.0.0.0", 8123)
    assert settings.page.names == ("energies.example.org", "www.energies.example.org")
    assert settings.page.proxies == (ip_network("192.168.1.5"), ip_network("fd00::/64"))
    assert settings.page.outlines == tmp_path / "communes.geojson"
    assert settings.publication.minimum == 12
    assert settings.publication.interval is Interval.PT30M
    assert settings.publication.wait == timedelta(minutes=45)
    assert settings.metrics == MetricsSettings(host="::1", port=9101)
    assert settings.witness_for == ("coop@other.example", "sun@other.example")
    assert settings.mail == MailSettings(
        mail_to=("contact@kersabiec.example", "tech@kersabiec.example"),
        mail_from="node@kersabiec.example",
        smtp_host="smtp.kersabiec.example",
        smtp_port=2525,
        smtp_security=SmtpSecurity.TLS,
        smtp_user="node",
        smtp_password_file=tmp_path / "smtp-password",
    )
    assert settings.backups_kept_days == 45
    assert settings.about.sentence.say("en") == "Homes of Kersabiec."
    assert settings.about.audit_on == date(2026, 5, 4)
    assert settings.about.accessibility == "partially"
    assert not any(settings.about.missing(notice) for notice in NOTICES)
    assert settings.webhook == "https://chat.kersabiec.example/hooks/1"


def test_metrics_are_off_without_a_port(tmp_path: Path) -> None:
    quiet = read(written(tmp_path, f"{LEAST_SETTINGS}[metrics]\nhost = '::1'\n"), {})
    assert quiet.metrics is None
    settings = read(written(tmp_path, LEAST_SETTINGS), {"CONSOMETERS_METRICS_PORT": "9101"})
    assert settings.metrics == MetricsSettings(host="127.0.0.1", port=9101)


@pytest.mark.parametrize("way", ["file", "variables"])
def test_each_declared_setting_is_read(tmp_path: Path, way: str) -> None:
    if way == "file":
        meant = {name: KEYS[name].read(example, Path()) for name, example in EXAMPLES.items()}
        in_file = FILE.write({name: written_value(value) for name, value in meant.items()}, "fr")
        settings = read(written(tmp_path, in_file), {})
    else:
        environment = {KEYS[name].variable: example for name, example in EXAMPLES.items()}
        settings = read(tmp_path / NAME, environment)
    sections = {
        "xmpp": settings.xmpp,
        "page": settings.page,
        "publication": PublicationSettings.of(settings.publication),
        "alerts": settings.mail,
        "about": settings.about,
        "metrics": settings.metrics,
    }
    for name, key in KEYS.items():
        section = sections.get(key.section, settings)
        value = key.value(section if hasattr(section, key.field) else settings)
        assert value == key.read(EXAMPLES[name], Path()), name


def test_variables_override_the_file(tmp_path: Path) -> None:
    environment = {
        "CONSOMETERS_NAME": "Kermelo",
        "CONSOMETERS_DATABASE": "postgresql://node@/other",
        "CONSOMETERS_NEEDS": "/a.toml:/b.toml",
        "CONSOMETERS_XMPP_PORT": "5299",
        "CONSOMETERS_XMPP_ACCOUNT_COMMAND": "invite 'an account'",
        "CONSOMETERS_PUBLICATION_BASIS": "law",
        "CONSOMETERS_DATA": "",
        "CONSOMETERS_PAGE_NAMES": "a.example, b.example",
        "CONSOMETERS_PAGE_PROXIES": "172.31.250.0/24, fd00::5",
    }
    settings = read(written(tmp_path, LEAST_SETTINGS), environment)
    assert settings.name == "Kermelo"
    assert settings.database == "postgresql://node@/other"
    assert settings.needs == (Path("/a.toml"), Path("/b.toml"))
    assert settings.xmpp.server.port == 5299
    assert settings.xmpp.account_command == ("invite", "an account")
    assert settings.publication.minimum is None
    assert settings.folder == tmp_path
    assert settings.page.names == ("a.example", "b.example")
    assert settings.page.proxies == (ip_network("172.31.250.0/24"), ip_network("fd00::5"))


def test_variables_alone_are_enough(tmp_path: Path) -> None:
    environment = {
        "CONSOMETERS_NAME": "Kermelo",
        "CONSOMETERS_IDENTIFIER": "kermelo",
        "CONSOMETERS_XMPP_ACCOUNT": "collectif@kermelo.example",
    }
    assert read(tmp_path / NAME, environment).xmpp.account == "collectif@kermelo.example"


def test_folder_argument_overrides_file_and_variable(tmp_path: Path) -> None:
    settings = read(
        written(tmp_path, FULL_SETTINGS), {"CONSOMETERS_DATA": "/other"}, Path("/chosen")
    )
    assert settings.folder == Path("/chosen")


WRONG = [
    *(
        (f"{LEAST_SETTINGS}[about]\n{key} = {value}\n", 6, f"about.{key}")
        for key, value in (
            ("phone", '"none"'),
            ("mail", '"contact"'),
            ("join_link", '"javascript:alert(1)"'),
            ("audit_on", '"2026-02-30"'),
            ("audit_percent", "101"),
            ("address", f'"{"a" * 501}"'),
        )
    ),
    *(
        (f"{LEAST_SETTINGS}[page]\n{key} = {value}\n", 6, f"page.{key}")
        for key, value in (
            ("proxies", '["proxy"]'),
            ("proxies", "[1]"),
            ("proxies", '["192.168.1.5/24"]'),
            ("proxies", '["10.0.0.0/8", "0.0.0.0/0"]'),
            ("names", "[1]"),
            ("names", '["*"]'),
            ("names", '["a b"]'),
            ("names", '["https://a.example"]'),
            ("names", '[""]'),
        )
    ),
    (LEAST_SETTINGS.replace('name = "Én', "name = 3 #"), 1, "name"),
    (LEAST_SETTINGS.replace('kersabiec"\n', 'Kersabiec"\n'), 2, "identifier"),
    (LEAST_SETTINGS.replace("collectif@", ""), 4, "xmpp.account"),
    (FULL_SETTINGS.replace("postgresql", "mysql"), 4, "database"),
    (FULL_SETTINGS.replace("Indian/Reunion", "Europe/Lorient"), 5, "time_zone"),
    (FULL_SETTINGS.replace('["needs/roof.toml", ', "[3, "), 6, "needs"),
    (FULL_SETTINGS.replace("5223", "0"), 11, "xmpp.port"),
    (FULL_SETTINGS.replace("5223", "true"), 11, "xmpp.port"),
    (FULL_SETTINGS.replace('"direct"', '"none"'), 12, "xmpp.security"),
    (
        FULL_SETTINGS.replace('["prosodyctl", "shell", "invite", "create_account"]', "[]"),
        15,
        "xmpp.account_command",
    ),
    (FULL_SETTINGS.replace('"agreed"', '"consent"'), 27, "publication.basis"),
    (FULL_SETTINGS.replace("= 12", "= 2"), 28, "publication.minimum"),
    (FULL_SETTINGS.replace("PT30M", "P1D"), 29, "publication.interval"),
    (FULL_SETTINGS.replace("= 45", "= 0"), 30, "publication.wait_minutes"),
]


@pytest.mark.parametrize(("settings", "line", "key"), WRONG)
def test_a_wrong_value_is_reported_with_its_line(
    tmp_path: Path, settings: str, line: int, key: str
) -> None:
    file = written(tmp_path, settings)
    with pytest.raises(BadSettings) as caught:
        read(file, {})
    for language, separator in (("en", ":"), ("fr", " :")):
        words = caught.value.text.say(language)
        assert words.startswith(f"{file}, li")
        assert f" {line}{separator}" in words
        assert key in words
    assert KEYS[key].format.hint.say("fr") in caught.value.text.say("fr")


@pytest.mark.parametrize(
    ("settings", "line", "words"),
    [
        (LEAST_SETTINGS.replace("identifier", "identifer"), 2, "Did you mean “identifier”?"),
        (LEAST_SETTINGS.replace("account", "acount"), 4, "Did you mean “xmpp.account”?"),
        (LEAST_SETTINGS + "[pages]\nhost = 3\n", 5, "“pages” is unknown"),
        (f"# a comment\n\nmany = [\n 1,\n 2,\n]\n{LEAST_SETTINGS}", 3, "“many” is unknown"),
        ("xmpp = 3\n", 1, "“xmpp” is unknown"),
        (LEAST_SETTINGS + "port = \n", 5, "cannot be read as TOML"),
        (LEAST_SETTINGS + "account = 3\n", 5, "cannot be read as TOML"),
    ],
)
def test_an_unknown_key_is_reported_with_its_line(
    tmp_path: Path, settings: str, line: int, words: str
) -> None:
    with pytest.raises(BadSettings) as caught:
        read(written(tmp_path, settings), {})
    assert f"line {line}:" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("key", [key for key in KEYS.values() if key.required])
def test_a_missing_setting_is_named(tmp_path: Path, key: Key) -> None:
    lines = LEAST_SETTINGS.splitlines()
    left = "\n".join(line for line in lines if not line.startswith(f"{key.last_name} ="))
    with pytest.raises(BadSettings) as caught:
        read(written(tmp_path, left), {})
    assert f"“{key.name}” is missing, here or in {key.variable}" in str(caught.value)


def test_a_wrong_variable_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"CONSOMETERS_PAGE_PORT: “page\.port”"):
        read(written(tmp_path, LEAST_SETTINGS), {"CONSOMETERS_PAGE_PORT": "eighty"})


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * 70_000])
def test_unreadable_file_is_reported(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / NAME
    file.write_bytes(content)
    with pytest.raises(BadSettings, match=NAME):
        read(file, {})


def test_one_proxy_needs_no_list(tmp_path: Path) -> None:
    file = written(tmp_path, f'{LEAST_SETTINGS}[page]\nproxies = "127.0.0.1"\n')
    assert read(file, {}).page.proxies == (ip_network("127.0.0.1"),)


def test_nothing_shows_the_password_of_a_database(tmp_path: Path) -> None:
    settings = FULL_SETTINGS.replace("node@/", "node:secret@localhost/")
    assert "secret" not in repr(read(written(tmp_path, settings), {}))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_written_file_has_the_answers_and_every_key(tmp_path: Path, language: str) -> None:
    answers = {
        "name": "L'énergie \"d'ici\"",
        "identifier": "ici",
        "needs": ["needs/roof.toml"],
        "xmpp.account": "collectif@ici.example",
        "page.port": 8124,
    }
    settings = FILE.write(answers, language)
    written_settings = read(written(tmp_path, settings), {})
    assert written_settings.name == answers["name"]
    assert written_settings.needs == (tmp_path / "needs/roof.toml",)
    assert written_settings.page.port == 8124
    for key in KEYS:
        assert f"{key.rpartition('.')[2]} =" in settings
    assert KEYS["time_zone"].format.hint.say(language).split()[-1] in settings
    assert max(map(len, settings.splitlines())) <= 100


def test_a_line_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes('name = "Ours"\nlocation = "Névez"\n'.encode("latin-1"))
    with pytest.raises(BadSettings) as caught:
        read(file, {})
    assert caught.value.text.say("fr").startswith(f"{file}, ligne 2 : ce n’est pas de l’UTF-8")
