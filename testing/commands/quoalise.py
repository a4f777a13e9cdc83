"""Someone who reads a home by the command `quoalise`."""

from dataclasses import dataclass

from demo.servers.prosody import Prosody
from testing.commands.fixtures import at
from testing.xmpp.answerers import SERIES, MemoryHome
from testing.xmpp.fixtures import XmppNode


@dataclass
class CommandReader:
    """Someone with an account, who may read a home."""

    home: MemoryHome
    node: XmppNode
    jid: str
    server: Prosody

    @property
    def peer(self) -> str:
        """The address of the home."""
        return self.node.bare

    @property
    def options(self) -> tuple[object, ...]:
        return ("--account", self.jid, *at(self.server))

    def history(self, *arguments: object) -> tuple[object, ...]:
        """The command that asks the home for its past."""
        return ("history", self.peer, SERIES, *arguments, *self.options)
