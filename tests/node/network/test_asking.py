"""Requests keep within the peer's limit, by the peer's own count."""

import asyncio
from typing import override
from xml.etree.ElementTree import Element

import pytest

from consometers_quoalise import Node, ResourceConstraint, answers
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise_network import Asking
from consometers_quoalise_network.rate_limit import SlidingWindow
from consometers_quoalise_network.transport import Requests

PEER = "home@example.org"
SERIES = identifier("urn:dev:org:60060-abc_consumption/power/active/raw")
_NEARER_S = 0.002


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class ShrinkingWay(Requests):
    """A peer that counts requests when they arrive: each one takes less time than the last one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._way_s = 0.4
        self._rate = SlidingWindow(clock)
        self.answered = 0

    @override
    async def ask(self, peer: str, command: Element, seconds: float) -> Element:
        self._clock.now += self._way_s
        self._way_s -= _NEARER_S
        if not self._rate.take(peer):
            raise ResourceConstraint
        self._clock.now += self._way_s
        self.answered += 1
        return answers.completed(Node.SUBSCRIBE)


async def test_a_peer_never_counts_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    peer = ShrinkingWay(clock)
    asks = Asking(peer)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(150):
        await asks.subscribe(PEER, SERIES)
    assert peer.answered == 150
