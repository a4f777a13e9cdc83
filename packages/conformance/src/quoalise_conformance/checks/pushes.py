"""Checks of what a peer pushes to its subscribers."""

from typing import Final
from xml.etree.ElementTree import Element

from quoalise_conformance.peer import Peer
from quoalise_conformance.results import NotTried
from quoalise_conformance.session import stanzas
from quoalise_conformance.session.stanzas import MESSAGE, tag

from .registry import Checks, expect
from .requests import times

PUSHES: Final = Checks[Peer]()

MAX_PUSHED: Final = 1_000
AGAIN_SECONDS: Final = 300.0
"""In which a message without a receipt comes again."""


async def pushed(peer: Peer) -> list[Element]:
    """Return the first message that a subscription brings and, if it comes, its repetition.

    The first one gets no receipt, so that it has to come again.
    """
    if not peer.target.listen_seconds:
        raise NotTried("not_listening")
    if stanzas.refusal(await peer.subscription("subscribe")):
        raise NotTried("no_subscribe")
    if not peer.heard:
        await peer.subscription("subscribe", again=True)
        first = await peer.push(peer.target.listen_seconds, lambda _message: True)
        if first is None:
            raise NotTried("none_came")
        peer.heard.append(first)
        again = await peer.push(AGAIN_SECONDS, lambda message: times(message) >= times(first))
        if again is not None:
            peer.heard.append(again)
            acknowledge(peer, again)
        await peer.subscription("unsubscribe", again=True)
    return peer.heard


def acknowledge(peer: Peer, message: Element) -> None:
    """Send the receipt of a message."""
    received = stanzas.element(stanzas.RECEIVED, id=message.get("id", ""))
    peer.transport.send(stanzas.element(MESSAGE, received, to=message.get("from", "")))


@PUSHES.of("Q-63")
async def _pushes_to_the_bare_address(peer: Peer) -> None:
    message = (await pushed(peer))[0]
    count = len(stanzas.records(message))
    expect(count <= MAX_PUSHED, message, "too_many", count=count, most=MAX_PUSHED)
    to = message.get("to", "")
    bare = peer.transport.jid.partition("/")[0]
    expect(to == bare, message, "other", wanted=bare, seen=to)


@PUSHES.of("Q-71")
async def _hints_to_servers(peer: Peer) -> None:
    message = (await pushed(peer))[0]
    hint = message.find(tag(stanzas.HINTS, "no-permanent-store"))
    expect(hint is not None, message, "lacks", what="<no-permanent-store>")


@PUSHES.of("Q-72")
async def _requests_a_receipt(peer: Peer) -> None:
    message = (await pushed(peer))[0]
    request = message.find(tag(stanzas.RECEIPTS, "request"))
    expect(request is not None, message, "lacks", what="<request>")
    expect(bool(message.get("id")), message, "lacks", what="id")


@PUSHES.of("Q-74")
async def _pushes_again_without_a_receipt(peer: Peer) -> None:
    messages = await pushed(peer)
    expect(len(messages) > 1, messages[0], "not_again")
