"""Attacks, one file for each kind of attacker: on real nodes, real servers and real databases."""

from testing.commands.fixtures import command_line, environment, run, start, warm
from testing.databases.fixtures import (
    copy_of,
    file,
    new_database,
    new_place,
    patterns,
    place,
    postgresql_server,
    quiet_sql,
    store,
)
from testing.xmpp.fixtures import (
    authority,
    hosted,
    new_account,
    new_component,
    new_node,
    new_plain,
    other_server,
    own,
    prosody,
    server,
    servers,
    stack,
)
