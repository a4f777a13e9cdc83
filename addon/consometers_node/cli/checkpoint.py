"""Before a backup: `checkpoint`."""

from consometers_node.quoalise.text import text
from consometers_node.store import Store

from . import own
from .errors import CliError
from .options import Common
from .paths import is_there
from .usage import Commands

_DONE = text("All is in the one file.")
_READS_ON = text(
    "Another program has been reading the database since before: what was written after that is"
    " still in the journal beside it. Try again when it has ended, or copy node.db-wal too."
)

commands = Commands()


@commands.add(
    "checkpoint",
    text(
        "Whoever copies node.db then has all of it. The node may go on running. PostgreSQL needs"
        " none of this."
    ),
)
def checkpoint(common: Common) -> None:
    """Put all that was written into the one file. Where there is no database, none is made."""
    if is_there(common.data) and not own.run(common, Store.checkpoint):
        raise CliError("in-use", _READS_ON)
    if common.as_json:
        common.output.document({"done": True})
    else:
        common.output.say(_DONE)
