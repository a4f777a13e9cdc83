"""The account of a node: tried, kept, forgotten."""

from pathlib import Path
import stat

import pytest

from consometers_node.sharing.account import load, save
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_quoalise_network import Account, Identity, Security, Server
from demo.servers.prosody import LOOPBACK, Prosody
from testing.commands.fixtures import Run, at
from testing.networks import PASSWORD
from testing.xmpp.fixtures import NewAccount

NOBODY = 9
"""A port on which nothing listens."""


async def test_an_account_is_stored_and_removed(store: Store) -> None:
    server = Server(host="xmpp.example", port=5223, security=Security.DIRECT, ca_file=Path("/ca"))
    for who in (
        Identity(Account("home@one.test", "secret é"), server),
        Identity(Account("other@one.test", "more"), Server()),
    ):
        await save(store, who)
        assert await load(store) == who
    await save(store, None)
    assert await load(store) is None


async def test_login_stores_an_accepted_account(
    server: Prosody, new_account: NewAccount, run: Run, tmp_path: Path
) -> None:
    jid = new_account(server)
    result = await run.ok("login", jid, *at(server), typed=PASSWORD + "\n")
    assert result.out.startswith(f"{jid} is this node's account")
    folder = tmp_path / "share" / "consometers"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "node.db").stat().st_mode) == 0o600

    result = await run("logout", language="fr_FR.UTF-8")
    assert result.out == f"{jid} est retiré de ce nœud. Le compte lui-même reste sur son serveur.\n"
    assert await run.json("logout") == {"jid": None, "kept": False}


async def test_an_option_or_a_variable_chooses_the_folder(
    server: Prosody, new_account: NewAccount, run: Run, tmp_path: Path
) -> None:
    jid = new_account(server)
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    here, there = tmp_path / "a" / "b", tmp_path / "there"
    options = (*at(server), "--password-file", password, "--json")
    result = await run("login", jid, *options, "--data", here)
    assert result.document == {"jid": jid, "kept": True}
    assert (here / "node.db").exists()
    await run("login", jid, *options, CONSOMETERS_DATA=str(there))
    assert (there / "node.db").exists()
    url = f"sqlite:///{tmp_path / 'by-url.db'}"
    await run("login", jid, *options, "--data", here, CONSOMETERS_DATABASE=url)
    assert (tmp_path / "by-url.db").exists()


@pytest.mark.cold
async def test_a_wrong_password_is_not_stored(
    server: Prosody, new_account: NewAccount, run: Run, tmp_path: Path
) -> None:
    jid = new_account(server)
    result = await run("login", jid, *at(server), typed="wrong\n")
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"The server refuses the address {jid} with this password: correct one of them.\n"
    )
    result = await run("login", jid, *at(server), "--json", typed="wrong\n", language="fr_FR.UTF-8")
    assert (result.status, result.condition, result.err) == (1, "wrong-password", "")
    assert "ce mot de passe" in result.out
    assert not (tmp_path / "share").exists()


async def test_login_reports_an_unreachable_server(run: Run) -> None:
    place = ("--host", LOOPBACK, "--port", NOBODY)
    result = await run("login", "home@one.test", *place, "--json", typed="secret\n")
    assert (result.status, result.condition) == (1, "unreachable")
    assert result.message.startswith("The server one.test cannot be reached (")
    assert "tried again" not in result.message


async def test_a_certificate_of_an_unknown_authority_is_refused(
    server: Prosody, new_account: NewAccount, run: Run
) -> None:
    place = ("--host", LOOPBACK, "--port", server.port, "--security", "starttls")
    jid = new_account(server)
    result = await run("login", jid, *place, "--json", typed=PASSWORD, language="fr")
    assert (result.status, result.condition) == (1, "certificate-refused")
    assert "ne prouve pas son identité" in result.message
    assert "--ca-file" in result.message


async def test_login_refuses_a_file_without_a_certificate(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    result = await run("login", "home@one.test", "--ca-file", wrong, typed="secret\n")
    assert result.status == 1
    assert result.err.startswith(f"{wrong} cannot be used")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("login", "no address"), 1, "«\u202fno address\u202f» n’est pas une adresse XMPP"),
        (("login", "a@b", "--port", "x"), 2, "«\u202fx\u202f» n’est pas un nombre entier."),
        (("login", "a@b", "--security", "no"), 2, "«\u202fno\u202f» n’est pas l’un de"),
        (("logn",), 2, "Commande inconnue\u00a0: logn."),
        (("login", "a@b"), 1, "Aucun mot de passe n’a été donné pour a@b"),
        (("login", "a@b", "--password-file", "/none"), 1, "/none est inutilisable"),
    ],
)
async def test_wrong_arguments_are_reported(
    run: Run, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = await run(*arguments, language="fr_FR.UTF-8")
    assert (result.status, result.out) == (status, "")
    assert words in result.err
    answer = await run(*arguments, "--json")
    assert (answer.status, answer.err) == (status, "")
    assert "message" in str(answer.document["error"])


@pytest.mark.cold
async def test_help_is_in_both_languages(run: Run) -> None:
    english, french = await run("--help"), await run(language="fr_CA.UTF-8")
    assert "Usage: consometers-node" in english.out
    assert "Test the XMPP account" in english.out
    assert "Usage: consometers-node logout" in (await run("logout", "--help")).out
    assert "Usage\u00a0: consometers-node" in french.out
    assert "Commandes" in french.out
    assert "Afficher cette aide" in (await run("login", "--help", language="fr")).out


async def test_a_delivery_point_is_stored_and_removed_and_never_shown(
    run: Run, tmp_path: Path
) -> None:
    result = await run("delivery-point", typed="3000 1610 0718 43\n")
    assert (result.status, result.out) == (0, "The delivery point is saved.\n")
    place = tmp_path / "share" / "consometers" / "node.db"
    store = await Store.open(place)
    assert (await load_naming(store)).delivery_point == "30001610071843"
    await store.close()
    result = await run("delivery-point", "--json", typed="\n")
    assert result.document == {"kept": False}
    assert "3000" not in result.out + result.err


async def test_a_wrong_delivery_point_is_refused(run: Run) -> None:
    result = await run("delivery-point", typed="3000161007184\n", language="fr_FR.UTF-8")
    assert result.status == 1
    assert result.err.startswith("Le numéro d’un point de livraison a 14 chiffres")
