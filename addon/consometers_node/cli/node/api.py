"""The command `api`: the token of the node's API."""

from consometers_node.i18n.text import text

from ..core.options import Common
from ..core.usage import Commands
from ..household.command import run
from .pages import keys

_TOKEN = text(
    "Home Assistant asks for a URL (the address of “run --page”) and this token:\n{token}"
)

commands = Commands()


@commands.add("api")
def api(common: Common) -> None:
    """Show the token of the API."""
    _, token = run(common, lambda session: keys(session.store))
    common.output.result({"token": token}, _TOKEN, token=token)
