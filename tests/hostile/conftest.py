"""Attacks, one file for each kind of attacker: on real nodes, real servers and real databases."""

from tests.node.cli.conftest import command_line, environment, run, start, warm
from tests.node.conftest import (
    copy_of,
    file,
    new_database,
    new_place,
    no_talk_of_sql,
    patterns,
    place,
    postgresql_server,
    store,
    threads_of_sqlite_end,
)
from tests.node.xmpp.conftest import (
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

__all__ = [
    "authority",
    "command_line",
    "copy_of",
    "environment",
    "file",
    "new_account",
    "new_database",
    "new_node",
    "new_place",
    "new_plain",
    "no_talk_of_sql",
    "other_server",
    "own",
    "patterns",
    "place",
    "postgresql_server",
    "run",
    "server",
    "servers",
    "stack",
    "start",
    "store",
    "threads_of_sqlite_end",
    "warm",
]
