"""Why a database cannot be used, in the operator's language."""

from pathlib import Path
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from consometers_node.store import Store, StoreFault, Unusable
from consometers_node.store.engine.errors import is_full, reason


async def refused(place: Path | str) -> Unusable:
    with pytest.raises(Unusable) as raised:
        await Store.open(place)
    return raised.value


def met(words: str, code: int | None = None) -> OperationalError:
    fault = sqlite3.OperationalError(words)
    if code is not None:
        fault.sqlite_errorcode = code
    return OperationalError("INSERT", {}, fault)


async def test_a_file_that_cannot_be_opened_says_why_in_french(tmp_path: Path) -> None:
    message = reason(await refused(tmp_path / "none" / "node.db"))
    assert "ne s’ouvre pas : ce fichier ou ce dossier n’existe pas" in message.say("fr")
    assert "there is no such file or folder" in message.say("en")
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"This is no database at all." * 100)
    assert "n’est pas une base de données" in reason(await refused(garbage)).say("fr")


async def test_a_server_that_does_not_answer_says_so_in_french(tmp_path: Path) -> None:
    fault = await refused(f"postgresql://node:hush-hush@/node?host={tmp_path}")
    message = reason(fault).say("fr")
    assert tmp_path.name in message
    assert "rien n’y répond" in message
    assert "hush-hush" not in message


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("database or disk is full", sqlite3.SQLITE_FULL, "son disque est plein"),
        ("readonly", sqlite3.SQLITE_READONLY_DBMOVED, "elle est en lecture seule"),
        ("locked", sqlite3.SQLITE_BUSY_SNAPSHOT, "un autre programme la verrouille"),
        ('FATAL:  password authentication failed for user "n"', None, "son mot de passe est faux"),
        ('FATAL:  database "n" does not exist', None, "il n’y a pas de base de ce nom"),
        ("connection failed: Connection refused", None, "rien n’y répond"),
        ("Something new\nat line 1", None, "sa réponse : « Something new »"),
    ],
)
def test_database_errors_are_explained_in_french(
    words: str, code: int | None, message: str
) -> None:
    fault = met(words, code)
    assert reason(fault).say("fr").startswith(message)
    assert is_full(fault) is (message == "son disque est plein")


def test_unknown_errors_keep_their_message() -> None:
    assert reason(StoreFault("odd")).say("en") == "its answer: “odd”"
