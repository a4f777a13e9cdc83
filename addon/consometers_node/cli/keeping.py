"""Before a backup: `checkpoint`."""

from consometers_node.quoalise.text import text
from consometers_node.store import Store

from . import own
from .options import Common
from .place import is_there
from .usage import Commands

_DONE = text("All is in the one file.", "Tout est dans le seul fichier.")

commands = Commands()


@commands.add(
    "checkpoint",
    text(
        "Whoever copies node.db then has all of it. The node may go on running. PostgreSQL needs"
        " none of this.",
        "Qui copie alors node.db a tout. Le nœud peut continuer de tourner. PostgreSQL n'en a pas"
        " besoin.",
    ),
)
def checkpoint(common: Common) -> None:
    """Put all that was written into the one file. Where there is no database, none is made."""
    if is_there(common.data):
        own.run(common, Store.checkpoint)
    if common.as_json:
        common.output.document({"done": True})
    else:
        common.output.say(_DONE)
