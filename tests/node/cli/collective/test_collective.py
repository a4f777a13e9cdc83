"""A collective on the command line: set up, ask, invite, know its members, answer for it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
import json
from pathlib import Path
import shlex
import sys

import pytest
from sqlalchemy import insert, select

from consometers_node.collective.about import About
from consometers_node.collective.members.members import MemberKind, Members, public_collectives
from consometers_node.collective.permissions import needs
from consometers_node.collective.settings import KEYS
from consometers_node.collective.settings_file import read
from consometers_node.collective.witness.register import depart, enrol
from consometers_node.i18n.text import Text
from consometers_node.store.collective.tables import OwnNeedRow
from consometers_protected_sums.codes import read as read_code
from consometers_quoalise_network import Join, Register, links
from testing.checkout import ROOT
from testing.collectives.members import ZONE, let_be_named, meter
from testing.collectives.records import pushed_data, running_queue
from testing.commands.collective import INIT, admit_homes, need_toml, now, opened, writing
from testing.commands.fixtures import Run, at_a_terminal
from testing.documentation import blocks, commands
from testing.homes.data_needs import NEED
from testing.setting_examples import examples
from testing.witnesses.enrolled import COLLECTIVE, FIRST_HEAD, EnrolledHome, vouch


async def test_an_unreachable_database_is_reported_in_one_line(
    run: Run, coop: Path, tmp_path: Path
) -> None:
    file = coop / "collective.toml"
    url = f"postgresql://node@/coop?host={tmp_path}"
    file.write_text(f'database = "{url}"\n{file.read_text()}')
    away = {"CONSOMETERS_ROLE": "collective"}
    for language, why in (("en_GB.UTF-8", "nothing answers"), ("fr_FR.UTF-8", "rien n’y répond")):
        result = await run("members", "list", language=language, **away)
        assert result.status == 1
        (line,) = result.err.splitlines()
        assert why in line
        assert " postgresql://node@/coop?" in line


@pytest.mark.parametrize(
    ("language", "why"), [("en", "no database"), ("fr", "n’est pas une base de données")]
)
async def test_a_corrupt_database_file_is_reported_in_one_line(
    run: Run, tmp_path: Path, language: str, why: str
) -> None:
    file = tmp_path / "share" / "consometers" / "node.db"
    file.parent.mkdir(parents=True)
    file.write_text("Who has written this?\n" * 100)
    result = await run("status", language=language)
    assert result.status == 1
    (line,) = result.err.splitlines()
    assert f" {file} " in line
    assert why in line


# init


@pytest.mark.cold
async def test_init_writes_settings_that_can_be_read(run: Run, coop: Path) -> None:
    settings = read(coop / "collective.toml", {})
    assert settings.name == "Énergies de Kersabiec"
    assert settings.xmpp.account == "collectif@kersabiec.example"
    assert (coop / "collective.toml").stat().st_mode & 0o777 == 0o600
    assert coop.stat().st_mode & 0o777 == 0o700
    assert await run.condition(*INIT) == "exists"


async def test_init_takes_options_and_refuses_invalid_values(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "etc" / "ours.toml"
    options = ("--minimum", 12, "--port", 5223, "--ca-file", "ca.pem", "--settings", file)
    about = ("--about", "mail=coop@example.org", "--about", "audit_percent=62")
    assert await run.json(*INIT, *options, *about) == {"file": str(file), "identifier": "kersabiec"}
    settings = read(file, {})
    assert settings.xmpp.server.port == 5223
    assert settings.xmpp.server.ca_file == Path.cwd() / "ca.pem"
    assert (settings.about.mail, settings.about.audit_percent) == ("coop@example.org", 62)
    strange = (("--about", "mail"), ("--about", "mial=coop@example.org"))
    for wrong in (("--minimum", 2), ("--port", "no"), ("--account", "nobody"), *strange):
        assert await run.condition(*INIT, "--data", tmp_path / "other", *wrong) == "usage"
    nowhere = ("--data", tmp_path / "other", "--password-file", tmp_path / "none")
    refused = await run(*INIT, *nowhere, language="fr")
    assert refused.status == 2
    assert "--password-file" in refused.err
    assert "ce fichier ou dossier n’existe pas" in refused.err
    missing = await run("init", "--name", "Only", "--data", tmp_path / "other", language="fr")
    assert "--identifier\u00a0: aucun terminal pour le demander" in missing.err
    assert not (tmp_path / "other").exists()


async def test_init_takes_each_declared_setting(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    typed = examples(KEYS) | {"xmpp.password_file": str(password)}
    options = [word for name, value in typed.items() for word in ("--set", f"{name}={value}")]
    await run.ok("init", *options, "--settings", file)
    variables = {KEYS[name].variable: value for name, value in typed.items()}
    assert read(file, {}) == read(tmp_path / "none.toml", variables)
    refused = await run("init", "--settings", tmp_path / "other.toml", "--set", "page.prot=1")
    assert refused.status == 2
    assert "Did you mean “page.port”?" in refused.err


async def test_without_settings_a_command_says_what_to_do(run: Run) -> None:
    result = await run("members", "list", language="fr_FR.UTF-8")
    assert result.status == 1
    assert "«\u202fconsometers-node init\u202f» l’écrit" in result.err


async def test_an_unknown_key_is_reported_with_its_line(run: Run, coop: Path) -> None:
    file = coop / "collective.toml"
    file.write_text('name = "Ours"\nidentifer = "ours"\n')
    result = await run("needs", "list", "--json")
    assert result.condition == "settings"
    assert f"{file}, line 2: “identifer” is unknown" in result.out


# needs


async def test_a_need_is_offered_changed_and_closed(run: Run, coop: Path) -> None:
    file = coop / "roof.toml"
    file.write_text(need_toml())
    assert await run.json("needs", "offer", file) == {"need": "roof", "version": 1, "new": True}
    assert (await run.json("needs", "offer", file))["new"] is False
    file.write_text(need_toml(purpose="Vendre vos données."))
    refused = await run("needs", "offer", file, language="fr")
    assert refused.status == 1
    assert "sans nouvelle version" in refused.err
    file.write_text(need_toml(version=2, purpose="Dimensionner deux toits."))
    assert (await run.json("needs", "offer", file))["version"] == 2
    (asked,) = await run.json("needs", "list")
    assert (asked["version"], asked["series"], asked["members"]) == (2, ["consumption"], 0)
    listed = await run("needs", "list", "--all", language="fr")
    assert "Le prochain toit" in listed.out
    assert "énergie prise au réseau, toutes les heures" in listed.out
    assert (await run.json("needs", "close", "roof"))["closed"] is True
    assert await run.condition("needs", "close", "roof") == "unknown"
    assert "Aucune demande de données" in (await run("needs", "list", language="fr")).out


async def test_a_need_is_created_from_options(run: Run, coop: Path) -> None:
    options: list[object] = ["--id", "sums", "--title", "fr=Nos sommes", "--series", "consumption"]
    options += ["--series", "injection", "--contact", "dpo@example.org"]
    options += ["--policy", "https://example.org/donnees", "--retention", "P1M"]
    for purpose, version, new in (("Savoir.", 1, True), ("Savoir.", 1, False), ("Voir.", 2, True)):
        need = await run.json("needs", "offer", *options, "--purpose", f"fr={purpose}")
        assert need == {"need": "sums", "version": version, "new": new}
    async with writing(coop) as connection:
        (need,) = await needs.offered(connection)
    assert need.controller == "Énergies de Kersabiec"
    assert need.retention_days == 30
    for wrong in (["--title", "Nos sommes"], ["--history", "a year"], ["roof.toml"]):
        offer = ("needs", "offer", *options, "--purpose", "fr=S.", *wrong)
        assert await run.condition(*offer) == "usage"


SUMS: tuple[object, ...] = (
    *("--id", "sums", "--title", "fr=Nos sommes", "--purpose", "fr=Savoir.", "--series"),
    *("consumption", "--contact", "dpo@example.org", "--policy", "https://example.org/donnees"),
)


@pytest.mark.parametrize(
    ("option", "typed", "english", "french"),
    [
        ("--policy", "example.org", "--policy: “example.org” is not", "--policy\u00a0: «"),
        ("--contact", " ", "--contact: this is empty", "--contact\u00a0: ceci est vide"),
        ("--history", "P200Y", "a duration from 0 to", "une durée de 0 à"),
        ("--duration", "PT1H", "a duration from 1 to", "une durée de 1 à"),
        ("--retention", "a year", "--retention: “a year” is not", "--retention\u00a0: «"),
    ],
)
async def test_an_invalid_option_of_a_need_is_named(
    run: Run, coop: Path, *, option: str, typed: str, english: str, french: str
) -> None:
    for language, words in (("en", english), ("fr", french)):
        refused = await run("needs", "offer", *SUMS, option, typed, language=language)
        assert refused.status == 2
        assert words in refused.err
        assert refused.err.count(option) == 1
    assert await run.json("needs", "list", "--all") == []


_PURPOSE = SUMS.index("--purpose")
UNSAID = (*SUMS[:_PURPOSE], *SUMS[_PURPOSE + 2 :])
"""The options without a purpose."""
PUBLISHED = (
    *("--purpose", "en=To know. We publish sums of ten homes or more, by the hour."),
    *("--purpose", "fr=Savoir. Nous publions des sommes d’au moins 10 foyers, par heure."),
)


@pytest.mark.parametrize(
    ("options", "english", "french"),
    [
        (("--purpose", "en=To know. Of 10 homes, by the hour."), "published.", "publiées."),
        (("--purpose", "en=We publish hours of nine."), "at least: 10.", "somme publiée : 10."),
        (("--purpose", "en=We publish ten."), "published: every hour.", "toutes les heures."),
        (("--purpose", "fr=Nous publions dix foyers."), "every hour.", "toutes les heures."),
        (("--purpose", "de=Wir veröffentlichen."), "(de)", "(de)"),
        (
            (*PUBLISHED, "--policy", "https://example.org/"),
            "the first page of a site",
            "la première page d’un site",
        ),
    ],
)
async def test_a_check_of_a_need_warns_what_members_do_not_read(
    run: Run, coop: Path, options: Sequence[str], english: str, french: str
) -> None:
    asked = [*UNSAID, *options]
    checked = await run.json("needs", "check", *asked)
    (warning,) = checked["warnings"]
    assert english in warning
    in_french = await run("needs", "check", *asked, language="fr")
    assert (in_french.status, french in in_french.err.replace("\u00a0", " ")) == (0, True)
    assert "tait ce que les membres devraient lire" in in_french.out
    assert await run.json("needs", "list", "--all") == []


async def test_a_check_of_a_need_warns_of_each_language_by_the_rules_in_force(
    run: Run, coop: Path
) -> None:
    file = coop / "roof.toml"
    file.write_text(need_toml())
    checked = await run.json("needs", "check", file)
    assert len(checked["warnings"]) == 3
    asked = ("needs", "check", *UNSAID, *PUBLISHED)
    warnings = (await run.json(*asked, CONSOMETERS_PUBLICATION_MINIMUM="12"))["warnings"]
    assert [warning.endswith("at least: 12.") for warning in warnings] == [True, True]
    assert (await run.json(*asked, CONSOMETERS_PUBLICATION_BASIS="law"))["warnings"] == []


DOCUMENTED = [
    (page, shlex.split(command.partition("needs offer ")[2]))
    for page in ("deploy/README", "docs/collective", "docs/municipality")
    for suffix in (".md", ".fr.md")
    for command in commands(ROOT / f"{page}{suffix}")
    if "needs offer --" in command
]


@pytest.mark.parametrize(("page", "options"), DOCUMENTED)
async def test_documented_needs_hide_nothing(
    run: Run, coop: Path, page: str, options: Sequence[str]
) -> None:
    assert (await run.json("needs", "check", *options))["warnings"] == []


@pytest.mark.parametrize("page", ["docs/collective.md", "docs/collective.fr.md"])
async def test_documented_need_files_hide_nothing(run: Run, coop: Path, page: str) -> None:
    (lines,) = (
        block.lines
        for block in blocks(ROOT / page)
        if block.language == "toml" and "[purpose]" in block.lines
    )
    file = coop / "roof.toml"
    file.write_text("\n".join(lines))
    assert (await run.json("needs", "check", file))["warnings"] == []


async def test_an_invalid_need_file_is_reported_in_french(run: Run, coop: Path) -> None:
    file = coop / "roof.toml"
    file_text = need_toml()
    for was, wrong, words in (
        ('"https://example.org/donnees"', '"example.org"', "pas le lien d’une page"),
        ('"P1Y"', '"P200Y"', "(history)"),
    ):
        file.write_text(file_text.replace(was, wrong))
        refused = await run("needs", "offer", file, language="fr")
        assert refused.status == 1
        assert words in refused.err


async def test_an_unreadable_need_is_reported_and_blocks_no_other(run: Run, coop: Path) -> None:
    await run("needs", "offer", *SUMS, "--id", "other")
    async with writing(coop) as connection:
        body = (await connection.execute(select(OwnNeedRow.body))).scalar_one()
        broken = {"version": 1, "body": body.replace("https://", ""), "offered_at": now()}
        await connection.execute(insert(OwnNeedRow).values(need="sums", **broken))
    listed = await run("needs", "list", "--json")
    assert [need["need"] for need in json.loads(listed.out)] == ["other"]
    assert "“sums”, version 1, cannot be read" in listed.err
    status = await run.ok("status", language="fr")
    assert "«\u202fsums\u202f», version 1, est illisible" in status.out
    assert (await run.json("status"))["unreadable_needs"] == [{"need": "sums", "version": 1}]
    assert [need["need"] for need in (await run.json("register"))] == ["other"]
    assert await run.json("needs", "offer", *SUMS) == {"need": "sums", "version": 2, "new": True}
    assert (await run("needs", "list", "--json")).err == ""
    assert (await run.json("status"))["unreadable_needs"] == []


# invitations


async def test_an_invitation_is_made_listed_and_revoked(run: Run, coop: Path) -> None:
    made = await run(
        *("invitations", "make", "--kind", "site", "--area", "Lanester", "--uses", 3),
        *("--days", 10, "--note", "Town hall", "--json"),
    )
    (invitation,) = json.loads(made.out)
    link = links.read(invitation["link"])
    assert isinstance(link, Join)
    assert link.collective == "collectif@kersabiec.example"
    assert (invitation["kind"], invitation["area"], invitation["most_uses"]) == (
        "site",
        "Lanester",
        3,
    )
    listed = await run("invitations", "list", language="fr")
    for word in (invitation["id"], "site", "Lanester", "Town hall", "0/3", "valable"):
        assert word in listed.out
    assert link.token not in listed.out
    assert (await run.json("invitations", "revoke", invitation["id"]))["stands"] is False
    assert "révoquée" in (await run("invitations", "list", language="fr")).out
    assert await run.condition("invitations", "revoke", "none") == "unknown"


async def test_the_invitation_link_has_a_line_of_its_own(run: Run, coop: Path) -> None:
    result = await run("invitations", "make", "--unlimited", language="fr")
    (link,) = [line for line in result.out.splitlines() if line.startswith("xmpp:")]
    assert isinstance(links.read(link), Join)
    assert "sans limite de membres" in result.out
    assert "n’est pas conservé ici" in result.err


async def test_no_invitation_remains_when_its_file_cannot_be_written(run: Run, coop: Path) -> None:
    away = coop / "away"
    for options in (("--count", 5, "--sheet", away / "x.html"), ("--qr", away / "x.svg")):
        result = await run("invitations", "make", *options, language="fr")
        assert result.status == 1
        assert "est inutilisable\u00a0: ce fichier ou dossier n’existe pas" in result.err
    assert await run.json("invitations", "list") == []


@pytest.mark.parametrize(
    "command",
    [
        ("invitations", "make", "--uses", 9999999999999999999),
        ("invitations", "make", "--uses", 3, "--unlimited"),
        ("reads", "--days", 9999999999),
    ],
)
async def test_invalid_numbers_are_usage_errors(
    run: Run, coop: Path, command: Sequence[object]
) -> None:
    assert await run.condition(*command) == "usage"


async def test_sheets_and_codes_are_written(run: Run, coop: Path, tmp_path: Path) -> None:
    sheets, svg, png = (tmp_path / name for name in ("sheets.html", "code.svg", "code.png"))
    made = await run(
        *("invitations", "make", "--count", 3, "--sheet", sheets, "--language", "fr", "--json"),
    )
    tokens = [entry["link"] for entry in json.loads(made.out)]
    html = sheets.read_text()
    assert html.count("<article") == 3
    assert "Rejoignez Énergies de Kersabiec" in html
    for link in tokens:
        assert link.replace("&", "&amp;") in html
    assert sheets.stat().st_mode & 0o777 == 0o600
    again = tmp_path / "again.html"
    assert await run.json("invitations", "sheet", tokens[0], "--output", again) == {
        "file": str(again)
    }
    assert "You then see what Énergies de Kersabiec asks for" in again.read_text()
    strange = "xmpp:other@example.org?consometers-join;token=abc"
    assert await run.condition("invitations", "sheet", strange, "--output", again) == "unknown"
    for file, begins in ((svg, b"<?xml"), (png, b"\x89PNG")):
        await run("invitations", "make", "--qr", file)
        assert file.read_bytes().startswith(begins)
    for wrong in (("--qr", tmp_path / "code.pdf"), ("--qr", svg, "--count", 2)):
        assert await run.condition("invitations", "make", *wrong) == "usage"


ACCOUNT = "import sys; print('OK: xmpp:kersabiec.example?register;preauth=abc')"
FAILS = "import sys; sys.exit('no such host')"


@pytest.mark.parametrize(("program", "works"), [(ACCOUNT, True), (FAILS, False)])
async def test_an_invitation_brings_an_account_of_our_server(
    run: Run, coop: Path, program: str, works: bool
) -> None:
    assert await run.condition("invitations", "make", "--account") == "usage"
    settings = (coop / "collective.toml").read_text()
    command = json.dumps([sys.executable, "-c", program])
    settings = settings.replace("# account_command =", f"account_command = {command}")
    (coop / "collective.toml").write_text(settings)
    result = await run("invitations", "make", "--account", "--json")
    if works:
        (entry,) = json.loads(result.out)
        assert links.read(entry["account_link"]) == Register("kersabiec.example", "abc")
    else:
        assert result.condition == "no-account"
        assert "no such host" in result.out
        assert await run.json("invitations", "list") == []


REMOVES = "import sys; sys.exit(sys.argv[1] in sys.argv[2:])"


async def test_accounts_of_our_server_are_removed(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    erasing = ("members", "erase", "b@example.org", "--account", "--yes")
    assert await run.condition(*erasing) == "not-possible"
    settings = (coop / "collective.toml").read_text()
    command = json.dumps([sys.executable, "-c", REMOVES, "fails@example.org"])
    settings = settings.replace(
        "# account_removal_command =", f"account_removal_command = {command}"
    ).replace("@kersabiec.example", "@example.org")
    (coop / "collective.toml").write_text(settings)
    assert "est supprimé par notre nœud" in (await run.ok(*erasing, language="fr")).out
    remove = ("members", "remove-account")
    assert await run.condition(*remove, "gone@example.org") == "not-confirmed"
    assert await run.condition(*remove, "a@example.org", "--yes") == "not-possible"
    assert await run.condition(*remove, "a@example.com", "--yes") == "not-possible"
    assert await run.condition(*remove, "fails@example.org", "--yes") == "account-not-removed"
    gone = await run.json(*remove, "gone@example.org", "--yes")
    assert gone == {"removed": "gone@example.org"}
    assert "gone@example.org is removed" in (await run(*remove, "gone@example.org", "--yes")).out
    done = await run.json("reads")
    assert [entry["what"] for entry in done] == [
        *("account removed", "account removed"),
        "erase with account",
    ]


# codes of a witness


async def test_codes_of_a_witness_are_made_printed_listed_and_revoked(
    run: Run, coop: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSOMETERS_WITNESS_FOR"] = COLLECTIVE
    codes = ("witness", "codes")
    assert "aucun code" in (await run(*codes, "list", language="fr")).out
    sheets = tmp_path / "sheets.html"
    printing = ("--sheet", sheets, "--language", "fr")
    made = await run.json(*codes, "make", 3, "--for", COLLECTIVE, "--days", 20, *printing)
    html = sheets.read_text()
    assert html.count("<article") == 3
    assert "Code de votre foyer" in html
    assert sheets.stat().st_mode & 0o777 == 0o600
    for code in made:
        assert read_code(code["code"]) == code["code"]
        assert code["code"] in html
        assert code["id"] in html
        assert (code["state"], code["collective"]) == ("unused", COLLECTIVE)
    used, unused, _ = made
    async with writing(coop) as connection:
        await enrol(connection, EnrolledHome(code=used["code"]).enrolment(), FIRST_HEAD, now())
    listed = await run(*codes, "list", language="fr")
    assert "utilisé" in listed.out
    for code in made:
        assert code["id"] in listed.out
        assert code["code"] not in listed.out
    # A home would be out of all sums: that is asked for.
    assert await run.condition(*codes, "revoke", used["id"]) == "not-confirmed"
    revoked = await run.json(*codes, "revoke", used["id"], "--yes")
    assert revoked["state"] == "revoked"
    assert revoked["left_at"] is not None
    assert (await run.json(*codes, "revoke", unused["id"]))["state"] == "revoked"
    states = sorted(code["state"] for code in await run.json(*codes, "list"))
    assert states == ["revoked", "revoked", "unused"]
    assert await run.condition(*codes, "revoke", "none") == "unknown"
    assert [entry["what"] for entry in await run.json("reads")] == [
        f"code {unused['id']} revoked",
        f"code {used['id']} revoked",
        f"3 codes made for {COLLECTIVE}",
    ]


async def test_codes_are_made_for_a_collective_of_the_settings_alone(
    run: Run, coop: Path, environment: dict[str, str]
) -> None:
    making = ("witness", "codes", "make")
    assert await run.condition(*making, 1, "--for", COLLECTIVE) == "forbidden"
    environment["CONSOMETERS_WITNESS_FOR"] = COLLECTIVE
    for wrong in ((0, "--for", COLLECTIVE), (1,), (501, "--for", COLLECTIVE)):
        assert await run.condition(*making, *wrong) == "usage"
    away = ("--sheet", coop / "away" / "x.html")
    result = await run(*making, 2, "--for", COLLECTIVE, *away, language="fr")
    assert result.status == 1
    assert await run.json("witness", "codes", "list") == []


# members


async def test_members_are_listed_and_shown(run: Run, coop: Path) -> None:
    assert "pas encore de membre" in (await run("members", "list", language="fr")).out
    await admit_homes(coop, "a")
    store = await opened(coop)
    async with running_queue(store) as queue:
        start = now().replace(minute=0, second=0) - timedelta(hours=3)
        await queue.keep("a@example.org", pushed_data(meter("a"), start, [311, 312]))
    async with store.writing() as connection:
        await Members(connection, ZONE).admit("b@example.org", now())
    await store.close()
    listed = await run.json("members", "list")
    assert [member["state"] for member in listed] == ["member", "guest"]
    assert listed[0]["last_received_at"] is not None
    pseudonym = listed[0]["pseudonym"]
    table = await run("members", "list", language="fr")
    assert pseudonym in table.out
    assert "a@example.org" not in table.out
    shown = await run.json("members", "show", pseudonym)
    assert shown["jid"] == "a@example.org"
    assert [series["identifier"] for series in shown["series"]] == [str(meter("a"))]
    text = await run("members", "show", pseudonym, language="fr")
    assert "Toits au soleil (sunny-roofs, version 1)\u00a0: autorisée" in text.out
    assert "311" not in text.out
    assert await run.condition("members", "show", "nobody") == "unknown"


async def test_a_site_is_described_and_placed(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    options: tuple[object, ...] = ("--name", "École", "--building", "school")
    options += ("--heating", "wood", "--peak", 35.5)
    assert await run.condition("members", "site", "a@example.org", *options) == "not-confirmed"
    unchanged = await run.json("members", "show", "a@example.org")
    assert (unchanged["kind"], unchanged["name"]) == ("home", None)
    options += ("--yes",)
    assert await run.condition("members", "site", "a@example.org", *options) == "not-by-name"
    unchanged = await run.json("members", "show", "a@example.org")
    assert (unchanged["kind"], unchanged["name"]) == ("home", None)
    async with writing(coop) as connection:
        member = await Members(connection, ZONE).named("a@example.org")
        await let_be_named(connection, member, member.joined_at)
    assert (await run.json("members", "site", "a@example.org", *options))["description"] == {
        "building": "school",
        "heating": "wood",
        "peak_kwp": 35.5,
    }
    described = (
        await run.json("members", "site", "École", "--surface", 1200, "--hot-water", "solar")
    )["description"]
    assert (described["building"], described["surface_m2"]) == ("school", 1200)
    described = (await run.json("members", "site", "École", "--shares", 400))["description"]
    assert (described["building"], described["shares"]) == ("school", 400)
    held = await run.json("members", "shares", "b@example.org", "École", 12)
    assert (held["plant"], held["shares"], held["of"]) == ("École", 12, 400)
    shares = ("members", "shares", "b@example.org")
    assert await run.condition(*shares, "École", 401) == "too-many-shares"
    assert await run.condition(*shares, "Mairie", 1) == "unknown"
    holder = await run.json("members", "show", "b@example.org")
    assert holder["shares"] == [{"plant": "École", "shares": 12, "of": 400}]
    shown = await run("members", "show", "b@example.org", language="fr")
    assert "Parts\u00a0: 12 sur 400, École" in shown.out
    (made,) = await run.json("invitations", "make", "--shares", "École=3")
    (listed,) = await run.json("invitations", "list")
    assert listed["id"] == made["id"]
    assert listed["shares"] == [{"plant": "École", "shares": 3, "of": 400}]
    assert await run.condition("invitations", "make", "--shares", "École") == "usage"
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
    assert (await run.json("members", "area", "École"))["area"] is None
    named = await run("members", "name", "École", "Autre", "--json")
    assert named.condition == "not-possible"
    assert f"members site {unchanged['pseudonym']} --name" in named.out
    assert await run.condition("members", "site", "École", "--name", "x" * 200) == "usage"
    again = await run.json("members", "home", "École")
    assert (again["kind"], again["name"]) == ("home", None)


async def test_a_commune_has_one_spelling(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    assert (await run.json("invitations", "make", "--area", "Le Faouët"))[0]["area"] == "Le Faouët"
    placed = await run("members", "area", "a@example.org", "le  faouet", "--json")
    assert placed.document["area"] == "Le Faouët"
    assert "known here as “Le Faouët”" in placed.err
    other = await run("members", "area", "b@example.org", "Lorient", "--json")
    assert (other.document["area"], other.err) == ("Lorient", "")
    # Alone in it, a member may have the spelling of its commune mended.
    assert (await run.json("members", "area", "b@example.org", "LORIENT"))["area"] == "LORIENT"
    assert (await run.json("invitations", "make", "--area", "lorient"))[0]["area"] == "LORIENT"


async def test_a_member_collective_is_named(run: Run, coop: Path) -> None:
    async with writing(coop) as connection:
        await Members(connection, ZONE).admit(
            "below@example.org", now(), kind=MemberKind.COLLECTIVE
        )
    named = await run("members", "name", "below@example.org", "Coop", language="fr")
    assert "s’appelle Coop" in named.out
    naming = ("members", "name", "below@example.org", "Coop", "--website")
    assert await run.condition(*naming, "coop.example") == "usage"
    await run.ok(*naming, "https://coop.example")
    async with writing(coop) as connection:
        assert await public_collectives(connection) == [("Coop", "https://coop.example", None)]


async def test_exports_are_in_the_access_log(run: Run, coop: Path, tmp_path: Path) -> None:
    await admit_homes(coop, "a")
    file = tmp_path / "a.json"
    assert await run.json("members", "export", "a@example.org", "--output", file) == {
        "file": str(file)
    }
    assert json.loads(file.read_text())["member"]["jid"] == "a@example.org"
    table = await run("members", "export", "a@example.org", "--format", "csv")
    assert table.out == "statistic,direction,quantity,interval,time,value,unit\n"
    reads = await run.json("reads")
    assert [entry["what"] for entry in reads] == ["export csv", "export json"]
    assert "export json" in (await run("reads", "--member", "a@example.org")).out


async def test_a_member_is_terminated_and_another_erased(run: Run, coop: Path) -> None:
    await admit_homes(coop, "a", "b")
    assert await run.condition("members", "erase", "b@example.org") == "not-confirmed"
    assert (await run.json("members", "terminate", "a@example.org", "--yes"))["terminated"] == ["a"]
    gone = await run.ok("members", "erase", "b@example.org", "--yes", language="fr")
    assert "Son adresse est conservée jusqu’à ce que son nœud soit prévenu" in gone.out
    listed = await run.json("members", "list")
    assert listed == []
    everybody = await run.json("members", "list", "--all")
    assert [member["state"] for member in everybody] == ["left", "left"]
    done = await run.json("reads")
    assert [entry["what"] for entry in done] == ["erase", "terminate"]
    changes = await run.json("register", "--changes")
    assert [(change["permission"], change["state"], change["erased"]) for change in changes] == [
        ("a", "granted", None),
        ("b", "granted", None),
        ("a", "terminated", None),
        ("b", "terminated", None),
        ("b", "terminated", 0),
    ]


# register


async def test_a_data_policy_is_drafted(run: Run, coop: Path, tmp_path: Path) -> None:
    nothing = await run.ok("policy", language="fr")
    assert "# Politique de données d’Énergies de Kersabiec\n" in nothing.out
    assert "[refaites ce projet après" in nothing.out
    file = tmp_path / "policy.md"
    result = await run.ok("policy", "--output", file, CONSOMETERS_BACKUPS_KEPT_DAYS="20")
    assert "Complete what stands in [brackets]." in result.out
    assert "for up to 20 days more" in file.read_text()


async def test_register_prints_the_records_of_processing(run: Run, coop: Path) -> None:
    assert "Aucune donnée n’a jamais été demandée" in (await run("register", language="fr")).out
    await admit_homes(coop, "a")
    text = await run("register", language="fr")
    for line in (
        "Toits au soleil (sunny-roofs, version 1)",
        "Responsable\u00a0: Coop of Kersabiec, contact dpo@coop.example",
        "Base légale\u00a0: Consentement (RGPD, article 6.1.a)",
        "Autorisations en cours\u00a0: 1\u202f;",
    ):
        assert line in text.out
    (entry,) = await run.json("register")
    assert (entry["need"], entry["permissions_granted"]) == (NEED.id, 1)
    assert "autorisée" in (await run("register", "--changes", language="fr")).out


async def test_register_includes_the_processing_of_a_witness(
    run: Run, coop: Path, environment: dict[str, str]
) -> None:
    environment["CONSOMETERS_WITNESS_FOR"] = COLLECTIVE
    async with writing(coop) as connection:
        home = EnrolledHome()
        for each in (EnrolledHome(), home):
            await vouch(connection, each)
            await enrol(connection, each.enrolment(), FIRST_HEAD, now())
        await depart(connection, home.pseudonym, now())
    text = await run("register", language="fr")
    for line in (
        f"Témoin de {COLLECTIVE}",
        "aucun relevé",
        "Foyers inscrits\u00a0: 1\u202f; partis, dont le pseudonyme est encore conservé\u00a0: 1",
    ):
        assert line in text.out
    (entry,) = await run.json("register")
    assert (entry["permissions_granted"], entry["permissions_ended_and_kept"]) == (1, 1)
    assert home.pseudonym not in f"{entry}"


# init, by asking


async def test_init_asks_for_missing_settings(environment: dict[str, str], tmp_path: Path) -> None:
    typed = [
        "L'Énergie 2.0 de Kersabiec !",
        "",
        "nobody",
        "collectif@kersabiec.example",
        "",
        "12",
        "Des foyers de Kersabiec.",
        "",
        "contact@kersabiec.example",
        *("none", "+33 2 61 91 00 00"),
        *("", "", "", "", "", "", ""),
        "s3cret",
    ]
    status, screen = await asyncio.to_thread(at_a_terminal, environment, "fr", ("init",), typed)
    assert status == 0, screen
    settings = read(tmp_path / "share" / "consometers" / "collective.toml", {})
    assert (settings.name, settings.identifier) == (
        "L'Énergie 2.0 de Kersabiec !",
        "l.energie.2.0.de.kersabiec",
    )
    assert settings.xmpp.account == "collectif@kersabiec.example"
    assert settings.publication.minimum == 12
    assert settings.xmpp.password_file is not None
    assert settings.xmpp.password_file.read_text() == "s3cret\n"
    assert settings.xmpp.password_file.stat().st_mode & 0o777 == 0o600
    assert "[l.energie.2.0.de.kersabiec]" in screen
    assert "Écrivez une adresse XMPP" in screen
    assert settings.about == About(
        sentence=Text({"fr": "Des foyers de Kersabiec."}),
        mail="contact@kersabiec.example",
        phone="+33 2 61 91 00 00",
    )
    assert "Écrivez un numéro de téléphone" in screen
    assert "s3cret" not in screen
