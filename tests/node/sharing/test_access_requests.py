"""A home asks a collective what it holds, and believes no more than it can check."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import override
from zipfile import ZIP_ZSTANDARD

import pytest

from consometers_node.sharing import access_requests
from consometers_node.sharing.access_requests import DOCUMENT, RECORDS, OpenRequest, fetch
from consometers_node.store.answers import requests_to
from consometers_quoalise import ExportPart, ItemNotFound, ResourceConstraint
from consometers_quoalise_network import Asker
from testing.homes.archives import GOOD, NO_DEFLATE, packed
from testing.homes.running import RunningHome, StoringCollective, bare
from testing.networks import Memory
from testing.sentences import says
from testing.xmpp.fixtures import MakeNode

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def parts_of(content: bytes) -> list[ExportPart]:
    size = -(-len(content) // 3)
    return [
        ExportPart(
            id=ID,
            time=datetime(2027, 3, 1, 9, tzinfo=UTC),
            size=len(content),
            sha256=sha256(content).hexdigest(),
            part=n + 1,
            parts=3,
            content=content[n * size : (n + 1) * size],
        )
        for n in range(3)
    ]


class ExportingCollective(StoringCollective):
    """A collective that holds something, with answers by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = parts_of(GOOD)
        self.asked: list[int] = []
        self.busy_at: int | None = None

    @override
    async def get_export(self, asker: Asker, part: int) -> ExportPart:
        self.asked.append(part)
        if part == self.busy_at:
            self.busy_at = None
            raise ResourceConstraint
        return self.parts[part - 1]


@pytest.fixture
def collective() -> ExportingCollective:
    return ExportingCollective()


async def asked(house: RunningHome) -> OpenRequest:
    request = house.sharing.access.ask(house.ledger.peer, "an administrator")
    await request.over.wait()
    return request


async def test_a_copy_is_assembled_and_logged(
    house: RunningHome, collective: ExportingCollective
) -> None:
    request = await asked(house)
    assert request.problem is None
    assert request.copy is not None
    assert (request.part, request.parts) == (3, 3)
    assert "".join([words async for words in request.copy.chunks(DOCUMENT)]) == '{"member": "é"}\n'
    assert "".join([words async for words in request.copy.chunks(RECORDS)]) == "time,value\n"
    async with house.store.reading() as connection:
        (logged,) = await requests_to(connection, house.ledger.peer.id)
    assert (logged.who, logged.size) == ("an administrator", len(GOOD))
    assert logged.sha256 == sha256(GOOD).hexdigest()


async def test_an_interrupted_request_can_be_repeated(
    house: RunningHome, collective: ExportingCollective
) -> None:
    collective.busy_at = 2
    request = await asked(house)
    assert request.copy is None
    assert request.problem is not None
    assert (await asked(house)).copy is not None
    assert collective.asked == [1, 2, 1, 2, 3]


async def test_a_running_request_is_not_repeated(
    house: RunningHome, collective: ExportingCollective
) -> None:
    access, peer = house.sharing.access, house.ledger.peer
    first = access.ask(peer, "an administrator")
    assert access.ask(peer, "another one") is first
    await first.over.wait()
    assert collective.asked == [1, 2, 3]


ONE, TWO, THREE = parts_of(GOOD)
OTHER_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "parts",
    [
        [ONE, replace(TWO, id=OTHER_ID), THREE],
        [ONE, replace(TWO, part=3), THREE],
        [ONE, TWO, replace(THREE, content=b"x" + THREE.content[1:])],
        [ONE, TWO, replace(THREE, content=THREE.content + b"x")],
        [ONE, TWO, replace(THREE, content=THREE.content[:-1] or b"x")],
        parts_of(b"this is no archive"),
        parts_of(packed(export_json="{}")),
        parts_of(packed(export_json="{}", records_csv="", virus_exe="MZ")),
        parts_of(GOOD.replace(b"member", b"xxxxxx")[: len(GOOD) - 30]),
        parts_of(NO_DEFLATE),
        parts_of(packed(ZIP_ZSTANDARD, export_json="{}", records_csv="")),
    ],
    ids=[
        *("id", "number", "changed", "longer", "shorter", "text", "less", "more", "cut"),
        *("no deflate", "zstd"),
    ],
)
async def test_a_damaged_archive_is_refused(
    house: RunningHome, collective: ExportingCollective, parts: list[ExportPart]
) -> None:
    collective.parts = parts
    request = await asked(house)
    assert request.copy is None
    assert request.problem is not None
    assert "damaged or incomplete" in request.problem.say("en")
    async with house.store.reading() as connection:
        assert not await requests_to(connection, house.ledger.peer.id)


async def test_an_archive_that_unpacks_to_too_much_is_refused(
    house: RunningHome, collective: ExportingCollective, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_requests, "MOST_UNPACKED", 1_000)
    collective.parts = parts_of(packed(export_json=" " * 10_000, records_csv=""))
    assert (await asked(house)).copy is None


@pytest.mark.parametrize("more", [{"size": 10**11}, {"parts": 10**11}])
async def test_an_announced_size_beyond_the_limit_ends_the_request(
    house: RunningHome, collective: ExportingCollective, more: dict[str, int]
) -> None:
    collective.parts = [replace(ONE, **more), TWO, THREE]  # type: ignore[arg-type]
    request = await asked(house)
    assert request.problem is not None
    assert "larger than this node accepts" in request.problem.say("en")
    assert collective.asked == [1]


async def test_an_older_collective_answers_unknown_command(
    house: RunningHome, other_server: Memory, new_node: MakeNode
) -> None:
    older = await new_node(other_server, StoringCollective())
    with pytest.raises(ItemNotFound, check=says("Unknown command")):
        await fetch(house.sharing.asking, bare(older))
