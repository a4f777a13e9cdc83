"""Two servers that federate: homes on one, a collective on the other."""

from ..xmpp.conftest import (
    authority,
    new_account,
    new_node,
    new_plain,
    other_server,
    own,
    server,
    servers,
    stack,
)

__all__ = ["authority", "new_account", "new_node", "new_plain", "own", "server", "servers"]
__all__ += ["other_server", "stack"]
