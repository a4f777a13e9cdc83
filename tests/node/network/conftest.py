"""The same tests on each network: a node does the same, and so the one in memory is tried."""

from typing import Any

import pytest

from testing.networks import Host, in_memory


@pytest.fixture(params=["memory", "xmpp", "component"])
def hosts(request: pytest.FixtureRequest) -> tuple[Host, Host]:
    if request.param == "memory":
        return in_memory()
    prosody: tuple[Any, Any] = request.getfixturevalue("prosody")
    if request.param == "component":
        return request.getfixturevalue("hosted"), prosody[1]
    return prosody


@pytest.fixture
def server(hosts: tuple[Host, Host]) -> Host:
    return hosts[0]


@pytest.fixture
def other_server(hosts: tuple[Host, Host]) -> Host:
    return hosts[1]
