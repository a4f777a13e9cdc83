"""After a backup was put back: `reapply`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.collective.journal import FILE, last_end, reapply as apply_again, whole
from consometers_node.collective.rights import wipe
from consometers_node.collective.settings import Settings
from consometers_node.quoalise.text import text
from consometers_node.store import Store

from .collective import Ours, now, run
from .complaint import Complaint, misused
from .usage import Commands
from .words import say

_NO_FILE = text("there is no such file", "il n’y a pas de tel fichier")
_NONE = text(
    "There is no {file}: put the copy back that was kept apart from the database, or name it.",
    "Il n’y a pas de {file} : remettez la copie gardée à part de la base, ou nommez-la.",
)
_LATE = timedelta(hours=1)
_NOT_WHOLE = text(
    "Something of ended.jsonl is lost: a permission ended on {day}, as this database knows, and the"
    " file stops before that. What was erased after the backup would be back. Find a later copy;"
    " where there is none, --anyway applies what there is.",
    "Une partie d’ended.jsonl est perdue : une autorisation a pris fin le {day}, cette base le"
    " sait, et le fichier s’arrête avant. Ce qui a été effacé après la sauvegarde reviendrait."
    " Trouvez une copie plus récente ; s’il n’y en a pas, --anyway applique ce qu’il y a.",
)
_DONE = text(
    "Permissions that have ended again, with what had been erased of them: {count}.",
    "Autorisations de nouveau terminées, avec ce qui en avait été effacé : {count}.",
)

commands = Commands()


@commands.add(
    "reapply",
    text(
        "A backup knows nothing of what members withdrew and had erased after it. The node writes"
        " that into ended.jsonl in its folder: keep that file apart from the database. Put a backup"
        " back, give this command, then start the node. Given twice it does no harm.",
        "Une sauvegarde ne sait rien de ce que des membres ont retiré et fait effacer après elle."
        " Le nœud l’écrit dans ended.jsonl, dans son dossier : gardez ce fichier à part de la base."
        " Remettez une sauvegarde en place, donnez cette commande, puis démarrez le nœud. Donnée"
        " deux fois, elle ne fait pas de mal.",
    ),
)
def reapply(
    common: Ours,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar=say("FILE …", "FICHIER …"),
            help=say(
                "Copies of ended.jsonl; by default the one in the node's folder.",
                "Des copies de ended.jsonl ; par défaut celui du dossier du nœud.",
            ),
        ),
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help=say(
                "Apply it though it ends before the backup does.",
                "L’appliquer bien que cela s’arrête avant la sauvegarde.",
            ),
        ),
    ] = False,
) -> None:
    """End and erase again what had ended and was erased."""
    for file in files or ():
        if not file.is_file():
            raise misused(str(file), _NO_FILE)

    async def work(store: Store, settings: Settings) -> int:
        usual = settings.folder / FILE
        if not files and not usual.is_file():
            raise Complaint("no-file", _NONE.fill(file=usual))
        told = [one for file in files or [usual] for one in whole(file)]
        told.sort(key=lambda one: one.at)
        async with store.reading() as connection:
            last = await last_end(connection, told)
        if last is not None and not anyway and (not told or told[-1].at < last - _LATE):
            raise Complaint("not-whole", _NOT_WHOLE.fill(day=last.date()))
        count = await apply_again(store, settings.time_zone, told, now())
        await wipe(store)
        return count

    count = run(common, work)
    if common.as_json:
        common.output.document({"permissions": count})
    else:
        common.output.say(_DONE, count=count)
