"""A node is spoken to over HTTP, whatever answers."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from aiohttp import ClientSession
import pytest

from custom_components.consometers.node.api import client
from custom_components.consometers.node.api.client import NodeClient, NodeError, base_url
from testing.integration.toy_node import NODE_ID, TOKEN, ToyNode
from testing.waiting import until


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def node(session: ClientSession, toy: ToyNode) -> NodeClient:
    return NodeClient(session, toy.url, TOKEN)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://node.local:8099", "http://node.local:8099"),
        ("http://node.local:8099/", "http://node.local:8099"),
        (" node.local:8099 ", "http://node.local:8099"),
        ("192.168.1.5:8099", "http://192.168.1.5:8099"),
        ("https://node.example.org", "https://node.example.org"),
        ("https://example.org/node/?a=b#c", "https://example.org/node"),
        ("http://[::1]:8099", "http://[::1]:8099"),
    ],
)
def test_addresses_are_normalised(typed: str, address: str) -> None:
    assert base_url(typed) == address


@pytest.mark.parametrize(
    "typed", ["", "http://", "ftp://node.local", "http://node:99999", "http://me:pw@node", "::"]
)
def test_a_wrong_address_is_refused(typed: str) -> None:
    with pytest.raises(client.InvalidUrl):
        base_url(typed)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, client.NotANode),
        (403, client.NotANode),
        (404, client.NotANode),
        (429, client.TooManyAttempts),
        (503, NodeError),
    ],
)
async def test_each_http_error_has_its_exception(
    toy: ToyNode, node: NodeClient, status: int, error: type[NodeError]
) -> None:
    toy.status = status
    with pytest.raises(NodeError) as caught:
        await node.node()
    assert isinstance(caught.value, error)
    assert caught.value.key == error.key
    assert toy.times_asked() == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"api": 1}', '"node"'])
async def test_other_bodies_are_refused(toy: ToyNode, node: NodeClient, body: str) -> None:
    toy.body = body
    with pytest.raises(client.NotANode):
        await node.node()


async def test_a_silent_event_stream_times_out(
    toy: ToyNode, node: NodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SILENCE_S", 0.05)
    with pytest.raises(NodeError):
        async for _ in node.changes():
            pass


async def test_changes_arrive_with_any_line_ending(toy: ToyNode, node: NodeClient) -> None:
    assert (await node.node()).id == NODE_ID
    async with aclosing(node.changes()) as changes:
        await anext(changes)
        await until(lambda: toy.listeners)
        toy.say(b": nothing\r\n\r\nevent: changed\r\ndata:\r\n\r\n")
        await anext(changes)
        toy.say(b"event:changed\ndata\n\n")
        await anext(changes)


async def test_an_endless_line_is_refused(toy: ToyNode, node: NodeClient) -> None:
    async with aclosing(node.changes()) as changes:
        await anext(changes)
        await until(lambda: toy.listeners)
        toy.say(b"x" * 2_000_000)
        with pytest.raises(client.NotANode):
            await anext(changes)


async def test_pausing_an_unknown_collective_fails(toy: ToyNode, node: NodeClient) -> None:
    await node.pause("1", paused=True)
    with pytest.raises(client.NoSuchCollective):
        await node.pause("7", paused=True)
    with pytest.raises(client.NoSuchCollective):
        await node.pause("../1", paused=False)
    assert "pause 1" in toy.asked
