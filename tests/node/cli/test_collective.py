"""A collective on the command line: set up, ask, invite, know its members, answer for it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import pty
import re
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import insert, select

from consometers_node.cli.init import _slug
from consometers_node.collective.disclosure.sdc_rules import Agreed
from consometers_node.collective.members.members import Kind, Members
from consometers_node.collective.permissions import needs
from consometers_node.collective.settings import read
from consometers_node.quoalise import Text
from consometers_node.store import Store
from consometers_node.store.collective_tables import OwnNeedRow
from consometers_node.xmpp import Join, Register, links

from ..collective.people import ZONE, join, let_be_named, meter, permission
from ..collective.telling import taking, told
from ..permission.samples import NEED
from .conftest import Run

TOML = """\
id = "roof"
version = {version}
controller = "Coopérative d’exemple"
contact = "donnees@example.org"
policy = "https://example.org/donnees"
interval = "PT1H"
history = "P1Y"
duration = "P2Y"
retention = "P6M"
series = [{{ direction = "consumption", quantity = "power" }}]
[title]
fr = "Le prochain toit"
en = "The next roof"
[purpose]
fr = "{purpose}"
"""
INIT = (
    *("init", "--name", "Énergies de Kersabiec", "--identifier", "kersabiec"),
    *("--account", "collectif@kersabiec.example"),
)


@pytest.fixture
async def coop(run: Run, tmp_path: Path) -> Path:
    """The folder of a collective that was set up."""
    said = await run(*INIT)
    assert said.status == 0, said.err
    return tmp_path / "share" / "consometers"


async def test_a_database_that_is_away_is_told_in_a_line(
    run: Run, coop: Path, tmp_path: Path
) -> None:
    file = coop / "collective.toml"
    url = f"postgresql://node@/coop?host={tmp_path}"
    file.write_text(f'database = "{url}"\n{file.read_text()}')
    away = {"CONSOMETERS_ROLE": "collective"}
    for language, why in (("en_GB.UTF-8", "nothing answers"), ("fr_FR.UTF-8", "rien n’y répond")):
        said = await run("members", "list", language=language, **away)
        assert said.status == 1
        (line,) = said.err.splitlines()
        assert why in line
        assert " postgresql://node@/coop?" in line


@pytest.mark.parametrize(
    ("language", "why"), [("en", "no database"), ("fr", "n’est pas une base de données")]
)
async def test_a_file_that_is_no_database_is_told_in_a_line(
    run: Run, tmp_path: Path, language: str, why: str
) -> None:
    file = tmp_path / "share" / "consometers" / "node.db"
    file.parent.mkdir(parents=True)
    file.write_text("Who has written this?\n" * 100)
    said = await run("status", language=language)
    assert said.status == 1
    (line,) = said.err.splitlines()
    assert f" {file} " in line
    assert why in line


async def opened(folder: Path) -> Store:
    return await Store.open(folder / "node.db")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def let_in(folder: Path, *names: str) -> None:
    """Let homes in that give what is asked."""
    store = await opened(folder)
    async with store.writing() as connection:
        for name in names:
            await join(connection, name, permission(meter(name), id=name, at=now()), now())
    await store.close()


# init


@pytest.mark.cold
async def test_init_writes_settings_that_can_be_read(run: Run, coop: Path) -> None:
    settings = read(coop / "collective.toml", {})
    assert settings.name == "Énergies de Kersabiec"
    assert settings.xmpp.account == "collectif@kersabiec.example"
    assert (coop / "collective.toml").stat().st_mode & 0o777 == 0o600
    assert coop.stat().st_mode & 0o777 == 0o700
    again = await run(*INIT, "--json")
    assert again.condition == "exists"


async def test_init_takes_options_and_refuses_what_cannot_be(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "ours.toml"
    options = ("--minimum", 12, "--port", 5223, "--ca-file", "ca.pem", "--settings", file)
    said = await run(*INIT, *options, "--json")
    assert said.document == {"file": str(file), "identifier": "kersabiec"}
    settings = read(file, {})
    assert settings.xmpp.server.port == 5223
    assert settings.xmpp.server.ca_file == Path.cwd() / "ca.pem"
    for wrong in (("--minimum", 2), ("--port", "no"), ("--account", "nobody")):
        refused = await run(*INIT, "--data", tmp_path / "other", *wrong, "--json")
        assert refused.condition == "usage"
    nowhere = ("--data", tmp_path / "other", "--password-file", tmp_path / "none")
    refused = await run(*INIT, *nowhere, language="fr")
    assert refused.status == 2
    assert "--password-file" in refused.err
    assert "ce fichier ou dossier n’existe pas" in refused.err
    missing = await run("init", "--name", "Only", "--data", tmp_path / "other", language="fr")
    assert "--identifier\u00a0: il n’y a personne à qui le demander" in missing.err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Énergies de Kersabiec", "energies.de.kersabiec"),
        ("  L'Élan 2.0 ! ", "l.elan.2.0"),
        ("…", ""),
    ],
)
def test_a_name_proposes_an_identifier(name: str, slug: str) -> None:
    assert _slug(name) == slug


async def test_without_settings_a_command_says_what_to_do(run: Run) -> None:
    said = await run("members", "list", language="fr_FR.UTF-8")
    assert said.status == 1
    assert "«\u202fconsometers-node init\u202f» l’écrit" in said.err


async def test_a_wrong_key_is_told_with_its_line(run: Run, coop: Path) -> None:
    file = coop / "collective.toml"
    file.write_text('name = "Ours"\nidentifer = "ours"\n')
    said = await run("needs", "list", "--json")
    assert said.condition == "settings"
    assert f"{file}, line 2: “identifer” is not known" in said.out


# needs


async def test_a_need_is_offered_changed_and_closed(run: Run, coop: Path) -> None:
    file = coop / "roof.toml"
    file.write_text(TOML.format(version=1, purpose="Dimensionner le toit."))
    said = await run("needs", "offer", file, "--json")
    assert said.document == {"need": "roof", "version": 1, "new": True}
    assert (await run("needs", "offer", file, "--json")).document["new"] is False
    file.write_text(TOML.format(version=1, purpose="Vendre vos données."))
    refused = await run("needs", "offer", file, language="fr")
    assert refused.status == 1
    assert "sans nouvelle version" in refused.err
    file.write_text(TOML.format(version=2, purpose="Dimensionner deux toits."))
    assert (await run("needs", "offer", file, "--json")).document["version"] == 2
    (asked,) = json.loads((await run("needs", "list", "--json")).out)
    assert (asked["version"], asked["series"], asked["members"]) == (2, ["consumption"], 0)
    listed = await run("needs", "list", "--all", language="fr")
    assert "Le prochain toit" in listed.out
    assert "énergie soutirée du réseau, toutes les heures" in listed.out
    assert (await run("needs", "close", "roof", "--json")).document["closed"] is True
    assert (await run("needs", "close", "roof", "--json")).condition == "unknown"
    assert "Rien n’est demandé" in (await run("needs", "list", language="fr")).out


async def test_a_need_is_made_by_options(run: Run, coop: Path) -> None:
    options: list[object] = ["--id", "sums", "--title", "fr=Nos sommes", "--series", "consumption"]
    options += ["--series", "injection", "--contact", "dpo@example.org"]
    options += ["--policy", "https://example.org/donnees", "--retention", "P1M"]
    first = await run("needs", "offer", *options, "--purpose", "fr=Savoir.", "--json")
    assert first.document == {"need": "sums", "version": 1, "new": True}
    same = await run("needs", "offer", *options, "--purpose", "fr=Savoir.", "--json")
    assert same.document == {"need": "sums", "version": 1, "new": False}
    other = await run("needs", "offer", *options, "--purpose", "fr=Comprendre.", "--json")
    assert other.document == {"need": "sums", "version": 2, "new": True}
    store = await opened(coop)
    async with store.reading() as connection:
        (need,) = await needs.offered(connection)
    await store.close()
    assert need.controller == "Énergies de Kersabiec"
    assert need.retention_days == 30
    for wrong in (["--title", "Nos sommes"], ["--history", "a year"], ["roof.toml"]):
        refused = await run("needs", "offer", *options, "--purpose", "fr=S.", *wrong, "--json")
        assert refused.condition == "usage"


SUMS: tuple[object, ...] = (
    *("--id", "sums", "--title", "fr=Nos sommes", "--purpose", "fr=Savoir.", "--series"),
    *("consumption", "--contact", "dpo@example.org", "--policy", "https://example.org/donnees"),
)


@pytest.mark.parametrize(
    ("option", "typed", "said"),
    [
        (
            "--policy",
            "example.org",
            Text({"en": "--policy: “example.org” is not a link", "fr": "--policy\u00a0: «"}),
        ),
        (
            "--contact",
            " ",
            Text({"en": "--contact: this is empty", "fr": "--contact\u00a0: ceci est vide"}),
        ),
        ("--history", "P200Y", Text({"en": "a duration from 0 to", "fr": "une durée de 0 à"})),
        ("--duration", "PT1H", Text({"en": "a duration from 1 to", "fr": "une durée de 1 à"})),
        (
            "--retention",
            "a year",
            Text(
                {
                    "en": "--retention: “a year” is not",
                    "fr": "--retention\u00a0: «\u202fa year\u202f»",
                }
            ),
        ),
    ],
)
async def test_an_option_that_nobody_could_read_is_called_by_its_name(
    run: Run, coop: Path, option: str, typed: str, said: Text
) -> None:
    for language, words in said.by_language.items():
        refused = await run("needs", "offer", *SUMS, option, typed, language=language)
        assert refused.status == 2
        assert words in refused.err
        assert refused.err.count(option) == 1
    assert json.loads((await run("needs", "list", "--all", "--json")).out) == []


async def test_a_file_is_called_by_its_keys_in_the_askers_language(run: Run, coop: Path) -> None:
    file = coop / "roof.toml"
    told = TOML.format(version=1, purpose="Dimensionner le toit.")
    for was, wrong, words in (
        ('"https://example.org/donnees"', '"example.org"', "pas le lien d’une page"),
        ('"P1Y"', '"P200Y"', "(history)"),
    ):
        file.write_text(told.replace(was, wrong))
        refused = await run("needs", "offer", file, language="fr")
        assert refused.status == 1
        assert words in refused.err


async def test_what_cannot_be_read_is_told_and_stands_in_nobodys_way(run: Run, coop: Path) -> None:
    await run("needs", "offer", *SUMS, "--id", "other")
    store = await opened(coop)
    async with store.writing() as connection:
        body = (await connection.execute(select(OwnNeedRow.body))).scalar_one()
        broken = {"version": 1, "body": body.replace("https://", ""), "offered_at": now()}
        await connection.execute(insert(OwnNeedRow).values(need="sums", **broken))
    await store.close()
    listed = await run("needs", "list", "--json")
    assert [one["need"] for one in json.loads(listed.out)] == ["other"]
    assert "“sums”, version 1, cannot be read" in listed.err
    status = await run("status", language="fr")
    assert status.status == 0
    assert "«\u202fsums\u202f», version 1, est illisible" in status.out
    assert (await run("status", "--json")).document["unreadable_needs"] == [
        {"need": "sums", "version": 1}
    ]
    register = await run("register", "--json")
    assert [one["need"] for one in json.loads(register.out)] == ["other"]
    mended = await run("needs", "offer", *SUMS, "--json")
    assert mended.document == {"need": "sums", "version": 2, "new": True}
    assert (await run("needs", "list", "--json")).err == ""
    assert (await run("status", "--json")).document["unreadable_needs"] == []


# invitations


async def test_an_invitation_is_made_listed_and_revoked(run: Run, coop: Path) -> None:
    made = await run(
        *("invitations", "make", "--kind", "site", "--area", "Lanester", "--uses", 3),
        *("--days", 10, "--note", "Town hall", "--json"),
    )
    (one,) = json.loads(made.out)
    link = links.read(one["link"])
    assert isinstance(link, Join)
    assert link.collective == "collectif@kersabiec.example"
    assert (one["kind"], one["area"], one["most_uses"]) == ("site", "Lanester", 3)
    listed = await run("invitations", "list", language="fr")
    for word in (one["id"], "site", "Lanester", "Town hall", "0/3", "valable"):
        assert word in listed.out
    assert link.token not in listed.out
    revoked = await run("invitations", "revoke", one["id"], "--json")
    assert revoked.document["stands"] is False
    assert "révoquée" in (await run("invitations", "list", language="fr")).out
    assert (await run("invitations", "revoke", "none", "--json")).condition == "unknown"


async def test_the_link_stands_alone_on_its_line(run: Run, coop: Path) -> None:
    said = await run("invitations", "make", "--unlimited", language="fr")
    (link,) = [line for line in said.out.splitlines() if line.startswith("xmpp:")]
    assert isinstance(links.read(link), Join)
    assert "pour autant de membres qu’on veut" in said.out
    assert "n’est pas gardé ici" in said.err


async def test_links_that_nobody_saw_do_not_stand(run: Run, coop: Path) -> None:
    away = coop / "away"
    for options in (("--count", 5, "--sheet", away / "x.html"), ("--qr", away / "x.svg")):
        said = await run("invitations", "make", *options, language="fr")
        assert said.status == 1
        assert "est inutilisable\u00a0: ce fichier ou dossier n’existe pas" in said.err
    assert json.loads((await run("invitations", "list", "--json")).out) == []


@pytest.mark.parametrize(
    "command",
    [
        ("invitations", "make", "--uses", 9999999999999999999),
        ("invitations", "make", "--uses", 3, "--unlimited"),
        ("reads", "--days", 9999999999),
    ],
)
async def test_what_cannot_be_counted_is_refused(
    run: Run, coop: Path, command: Sequence[object]
) -> None:
    assert (await run(*command, "--json")).condition == "usage"


async def test_sheets_and_codes_are_written(run: Run, coop: Path, tmp_path: Path) -> None:
    sheets, svg, png = (tmp_path / name for name in ("sheets.html", "code.svg", "code.png"))
    made = await run(
        *("invitations", "make", "--count", 3, "--sheet", sheets, "--language", "fr", "--json"),
    )
    tokens = [one["link"] for one in json.loads(made.out)]
    html = sheets.read_text()
    assert html.count("<article") == 3
    assert "Rejoignez Énergies de Kersabiec" in html
    for link in tokens:
        assert link.replace("&", "&amp;") in html
    assert sheets.stat().st_mode & 0o777 == 0o600
    again = tmp_path / "again.html"
    said = await run("invitations", "sheet", tokens[0], "--output", again, "--json")
    assert said.document == {"file": str(again)}
    assert "You then see what Énergies de Kersabiec asks for" in again.read_text()
    strange = "xmpp:other@example.org?consometers-join;token=abc"
    refused = await run("invitations", "sheet", strange, "--output", again, "--json")
    assert refused.condition == "unknown"
    for file, begins in ((svg, b"<?xml"), (png, b"\x89PNG")):
        await run("invitations", "make", "--qr", file)
        assert file.read_bytes().startswith(begins)
    for wrong in (("--qr", tmp_path / "code.pdf"), ("--qr", svg, "--count", 2)):
        assert (await run("invitations", "make", *wrong, "--json")).condition == "usage"


ACCOUNT = "import sys; print('OK: xmpp:kersabiec.example?register;preauth=abc')"
FAILS = "import sys; sys.exit('no such host')"


@pytest.mark.parametrize(("program", "works"), [(ACCOUNT, True), (FAILS, False)])
async def test_an_account_of_the_collectives_own_server_goes_with_it(
    run: Run, coop: Path, program: str, works: bool
) -> None:
    assert (await run("invitations", "make", "--account", "--json")).condition == "usage"
    settings = (coop / "collective.toml").read_text()
    command = json.dumps([sys.executable, "-c", program])
    settings = settings.replace("# account_command =", f"account_command = {command}")
    (coop / "collective.toml").write_text(settings)
    said = await run("invitations", "make", "--account", "--json")
    if works:
        (one,) = json.loads(said.out)
        assert links.read(one["account_link"]) == Register("kersabiec.example", "abc")
    else:
        assert said.condition == "no-account"
        assert "no such host" in said.out
        assert json.loads((await run("invitations", "list", "--json")).out) == []


# members


async def test_members_are_listed_and_shown(run: Run, coop: Path) -> None:
    assert "pas encore de membre" in (await run("members", "list", language="fr")).out
    await let_in(coop, "a")
    store = await opened(coop)
    async with taking(store) as intake:
        start = now().replace(minute=0, second=0) - timedelta(hours=3)
        await intake.keep("a@example.org", told(meter("a"), start, [311, 312]))
    async with store.writing() as connection:
        await Members(connection, ZONE).admit("b@example.org", now())
    await store.close()
    listed = json.loads((await run("members", "list", "--json")).out)
    assert [one["state"] for one in listed] == ["member", "guest"]
    assert listed[0]["last_heard"] is not None
    pseudonym = listed[0]["pseudonym"]
    table = await run("members", "list", language="fr")
    assert pseudonym in table.out
    assert "a@example.org" not in table.out
    shown: dict[str, Any] = (await run("members", "show", pseudonym, "--json")).document
    assert shown["jid"] == "a@example.org"
    assert [one["identifier"] for one in shown["series"]] == [str(meter("a"))]
    text = await run("members", "show", pseudonym, language="fr")
    assert "Toits au soleil (sunny-roofs, version 1)\u00a0: autorisée" in text.out
    assert "311" not in text.out
    assert (await run("members", "show", "nobody", "--json")).condition == "unknown"


async def test_a_site_is_described_and_placed(run: Run, coop: Path) -> None:
    await let_in(coop, "a")
    options: tuple[object, ...] = ("--name", "École", "--building", "school")
    options += ("--heating", "wood", "--peak", 35.5)
    asked = await run("members", "site", "a@example.org", *options, "--json")
    assert asked.condition == "not-confirmed"
    unchanged = (await run("members", "show", "a@example.org", "--json")).document
    assert (unchanged["kind"], unchanged["name"]) == ("home", None)
    options += ("--yes",)
    refused = await run("members", "site", "a@example.org", *options, "--json")
    assert refused.condition == "not-by-name"
    unchanged = (await run("members", "show", "a@example.org", "--json")).document
    assert (unchanged["kind"], unchanged["name"]) == ("home", None)
    store = await opened(coop)
    async with store.writing() as connection:
        member = await Members(connection, ZONE).named("a@example.org")
        await let_be_named(connection, member, member.joined_at)
    await store.close()
    site = await run("members", "site", "a@example.org", *options, "--json")
    assert site.document["description"] == {
        "building": "school",
        "heating": "wood",
        "peak_kwp": 35.5,
    }
    more = await run(
        "members", "site", "École", "--surface", 1200, "--hot-water", "solar", "--json"
    )
    described = more.document["description"]
    assert isinstance(described, dict)
    assert (described["building"], described["surface_m2"]) == ("school", 1200)
    placed = await run("members", "area", "École", "Lanester", language="fr")
    assert "est à Lanester" in placed.out
    shown = await run("members", "show", "École", language="fr")
    for line in (
        "Bâtiment\u00a0: école",
        "Chauffage\u00a0: bois",
        "Panneaux (kWc)\u00a0: 35.5",
        "Lanester",
    ):
        assert line in shown.out
    assert (await run("members", "area", "École", "--json")).document["area"] is None
    named = await run("members", "name", "École", "Autre", "--json")
    assert named.condition == "not-possible"
    assert f"members site {unchanged['pseudonym']} --name" in named.out
    too_long = await run("members", "site", "École", "--name", "x" * 200, "--json")
    assert too_long.condition == "usage"
    again = (await run("members", "home", "École", "--json")).document
    assert (again["kind"], again["name"]) == ("home", None)


async def test_a_commune_is_not_known_twice(run: Run, coop: Path) -> None:
    await let_in(coop, "a", "b")
    made = await run("invitations", "make", "--area", "Le Faouët", "--json")
    assert json.loads(made.out)[0]["area"] == "Le Faouët"
    placed = await run("members", "area", "a@example.org", "le  faouet", "--json")
    assert placed.document["area"] == "Le Faouët"
    assert "known as “Le Faouët”" in placed.err
    other = await run("members", "area", "b@example.org", "Lorient", "--json")
    assert (other.document["area"], other.err) == ("Lorient", "")
    # Alone in it, a member may have the spelling of its commune mended.
    mended = await run("members", "area", "b@example.org", "LORIENT", "--json")
    assert mended.document["area"] == "LORIENT"
    made = await run("invitations", "make", "--area", "lorient", "--json")
    assert json.loads(made.out)[0]["area"] == "LORIENT"


async def test_a_collective_that_is_a_member_is_named(run: Run, coop: Path) -> None:
    store = await opened(coop)
    async with store.writing() as connection:
        await Members(connection, ZONE).admit("below@example.org", now(), kind=Kind.COLLECTIVE)
    await store.close()
    named = await run("members", "name", "below@example.org", "Coop", language="fr")
    assert "s’appelle Coop" in named.out


async def test_an_export_is_written_down(run: Run, coop: Path, tmp_path: Path) -> None:
    await let_in(coop, "a")
    file = tmp_path / "a.json"
    said = await run("members", "export", "a@example.org", "--output", file, "--json")
    assert said.document == {"file": str(file)}
    assert json.loads(file.read_text())["member"]["jid"] == "a@example.org"
    table = await run("members", "export", "a@example.org", "--format", "csv")
    assert table.out == "statistic,direction,quantity,interval,time,value,unit\n"
    reads = json.loads((await run("reads", "--json")).out)
    assert [one["what"] for one in reads] == ["export csv", "export json"]
    assert "export json" in (await run("reads", "--member", "a@example.org")).out


async def test_a_member_is_terminated_and_another_erased(run: Run, coop: Path) -> None:
    await let_in(coop, "a", "b")
    asked = await run("members", "erase", "b@example.org", "--json")
    assert asked.condition == "not-confirmed"
    ended = await run("members", "terminate", "a@example.org", "--yes", "--json")
    assert ended.document["terminated"] == ["a"]
    gone = await run("members", "erase", "b@example.org", "--yes", language="fr")
    assert gone.status == 0, gone.err
    assert "Son adresse est gardée jusqu’à ce que son nœud soit prévenu" in gone.out
    listed = json.loads((await run("members", "list", "--json")).out)
    assert listed == []
    everybody = json.loads((await run("members", "list", "--all", "--json")).out)
    assert [one["state"] for one in everybody] == ["left", "left"]
    changes = json.loads((await run("register", "--changes", "--json")).out)
    assert [(one["permission"], one["state"], one["erased"]) for one in changes] == [
        ("a", "granted", None),
        ("b", "granted", None),
        ("a", "terminated", None),
        ("b", "terminated", None),
        ("b", "terminated", 0),
    ]


# register


async def test_the_register_of_processing_is_told(run: Run, coop: Path) -> None:
    assert "Rien n’a jamais été demandé" in (await run("register", language="fr")).out
    await let_in(coop, "a")
    text = await run("register", language="fr")
    for line in (
        "Toits au soleil (sunny-roofs, version 1)",
        "Responsable\u00a0: Coop of Kersabiec, contact dpo@coop.example",
        "Base légale\u00a0: Consentement (RGPD, article 6.1.a)",
        "Autorisations en cours\u00a0: 1\u202f;",
    ):
        assert line in text.out
    (one,) = json.loads((await run("register", "--json")).out)
    assert (one["need"], one["permissions_granted"]) == (NEED.id, 1)
    assert "autorisée" in (await run("register", "--changes", language="fr")).out


async def test_help_of_groups_is_in_french(run: Run) -> None:
    said = await run("invitations", "--help", language="fr_FR.UTF-8")
    assert "Usage\u00a0: consometers-node invitations COMMANDE" in said.out
    assert "Afficher cette aide" in said.out
    assert re.search(r"revoke\s+Ne plus laisser entrer", said.out)
    wrong = await run("members", "lists", language="fr_FR.UTF-8")
    assert "«\u202fconsometers-node members --help\u202f» dit comment faire" in wrong.err


# init, by asking


async def test_init_asks_what_was_not_told(environment: dict[str, str], tmp_path: Path) -> None:
    typed = [
        "Énergies de Kersabiec",
        "",
        "nobody",
        "collectif@kersabiec.example",
        "",
        "12",
        "s3cret",
    ]
    screen = await asyncio.to_thread(at_a_terminal, ("init",), environment, typed)
    settings = read(tmp_path / "share" / "consometers" / "collective.toml", {})
    assert (settings.name, settings.identifier) == (
        "Énergies de Kersabiec",
        "energies.de.kersabiec",
    )
    assert settings.xmpp.account == "collectif@kersabiec.example"
    assert settings.publication.basis == Agreed(12)
    assert settings.xmpp.password_file is not None
    assert settings.xmpp.password_file.read_text() == "s3cret\n"
    assert settings.xmpp.password_file.stat().st_mode & 0o777 == 0o600
    assert "[energies.de.kersabiec]" in screen
    assert "Écrivez une adresse XMPP" in screen
    assert "s3cret" not in screen


def at_a_terminal(arguments: Sequence[str], environment: dict[str, str], typed: list[str]) -> str:
    """Run a command at a terminal, answer each question as it comes, and give what was shown."""
    person, terminal = pty.openpty()
    program = subprocess.Popen(
        (sys.executable, "-P", "-m", "consometers_node", *arguments),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**environment, "LANG": "fr_FR.UTF-8"},
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    left = list(typed)
    asked = 0
    try:
        while chunk := os.read(person, 4096):
            shown += chunk
            # A question ends with a space, and nothing comes after it.
            if left and len(shown) > asked and shown.endswith(b" "):
                asked = len(shown)
                os.write(person, f"{left.pop(0)}\n".encode())
    except OSError:
        # The terminal is gone with the program.
        pass
    os.close(person)
    assert program.wait(30) == 0, shown.decode()
    return shown.decode()
