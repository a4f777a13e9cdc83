"""From SQLite to PostgreSQL, or back: `migrate-store`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.quoalise.text import text
from consometers_node.store import Store
from consometers_node.store.moving import CannotMove, count, move

from .complaint import Complaint, misused
from .options import Common
from .output import Output
from .usage import Commands
from .words import say

_PLACE = say("FILE|URL", "FICHIER|URL")
_MOVING = text("Rows moved", "Lignes déplacées")
_DONE = text(
    "{rows} rows were moved and compared. Let the node use the new database from now on; the old"
    " one is as it was: remove it once you are sure.",
    "{rows} lignes ont été déplacées et comparées. Faites désormais utiliser la nouvelle base au"
    " nœud ; l’ancienne est restée telle quelle : supprimez-la quand vous serez sûr.",
)
_NO_FILE = text("there is no such file", "il n’y a pas de tel fichier")
_SAME = text("the same database twice", "deux fois la même base de données")
_WHY = {
    "not-empty": text(
        "The new database holds something already: give an empty one.",
        "La nouvelle base contient déjà quelque chose : donnez-en une vide.",
    ),
    "changed": text(
        "What was moved earlier has changed since in the old database: a node wrote to it. Stop"
        " that node, empty the new database, and move again.",
        "Ce qui avait été déplacé a changé depuis dans l’ancienne base : un nœud y a écrit. Arrêtez"
        " ce nœud, videz la nouvelle base et recommencez.",
    ),
}

commands = Commands()


@commands.add(
    "migrate-store",
    text(
        "Stop the node first. A database is a file, or an URL such as"
        " postgresql://user@host/name; a password is better kept in ~/.pgpass than typed here."
        " What is interrupted goes on where it was when the command is given again. Nothing of the"
        " old database is removed.",
        "Arrêtez d’abord le nœud. Une base est un fichier, ou une URL comme"
        " postgresql://utilisateur@hôte/nom ; un mot de passe est mieux dans ~/.pgpass que tapé"
        " ici. Ce qui est interrompu reprend où il en était quand la commande est redonnée. Rien"
        " de l’ancienne base n’est supprimé.",
    ),
)
def migrate_store(
    source: Annotated[
        str,
        typer.Argument(
            metavar=_PLACE,
            help=say("The database to move.", "La base de données à déplacer."),
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar=_PLACE,
            help=say("The one it moves into, empty.", "Celle où elle va, vide."),
        ),
    ],
    common: Common,
) -> None:
    """Move everything, with progress; tell how many rows there were."""
    old, new = _place(source), _place(target)
    if isinstance(old, Path) and not old.is_file():
        raise misused(source, _NO_FILE)
    if old == new:
        raise misused(target, _SAME)
    try:
        moved = asyncio.run(_move(old, new, common.output))
    except CannotMove as fault:
        raise Complaint(fault.why, _WHY[fault.why]) from fault
    if common.as_json:
        common.output.document({"rows": sum(moved.values()), "tables": moved})
    else:
        common.output.say(_DONE, rows=sum(moved.values()))


async def _move(old: Path | str, new: Path | str, output: Output) -> dict[str, int]:
    source = await Store.open(old)
    try:
        target = await Store.open(new, half_moved=True)
        try:
            total = await count(source)
            with output.progress(_MOVING, total) as reached:
                return await move(source, target, reached)
        finally:
            await target.close()
    finally:
        await source.close()


def _place(told: str) -> Path | str:
    return told if "://" in told else Path(told).absolute()
