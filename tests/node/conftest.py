"""What tests of a node stand on: a database of each kind, two servers that federate."""

import asyncio
from collections.abc import Iterator

from aiohttp import ClientWebSocketResponse
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest

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


@pytest.fixture(autouse=True)
def closed_web_sockets(verify_cleanup: None) -> Iterator[None]:
    """End what no code of ours can: aiohttp 3.14 starts a heartbeat again on data of a closed one.

    It is set up after the check for timers that are left, and so ends before it.
    """
    yield
    for timer in get_scheduled_timer_handles(asyncio.get_event_loop()):
        owner = getattr(getattr(timer, "_callback", None), "__self__", None)
        if isinstance(owner, ClientWebSocketResponse) and owner.closed:
            timer.cancel()
