"""What a home reads of the answers of a witness."""

from dataclasses import dataclass, replace
from pathlib import Path
import ssl

from aiohttp import web
import pytest

from consometers_node.household.protected_sums.witness_address import Trust
from consometers_node.household.protected_sums.witness_client import WitnessClient, WitnessFault
from consometers_node.wire.witness_requests import (
    MAX_BODY_BYTES,
    Call,
    DepartureReceipt,
)
from demo.servers.prosody import Authority
from testing.homes.data_needs import WITNESS, now
from testing.witnesses.toy import over_https

RECEIPT = DepartureReceipt(now())


@dataclass
class Wordy:
    """A witness that sends blanks before its receipt, so that the whole has a length."""

    length: int

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        written = web.json_response(RECEIPT.body()).body
        assert isinstance(written, bytes)
        left = self.length - len(written)
        while left:
            blanks = b" " * min(left, 1 << 16)
            await response.write(blanks)
            left -= len(blanks)
        await response.write(written)
        return response


async def read(witness: Wordy, authority: Authority, folder: Path) -> DepartureReceipt:
    app = web.Application()
    app.router.add_post("/witness/departures", witness.answer)
    tls = ssl.create_default_context(cafile=authority.file)
    client = WitnessClient(Trust(tls, is_private=True))
    async with over_https(app, authority, folder) as port:
        there = replace(WITNESS, url=f"https://localhost:{port}")
        return await client.ask(there, Call.DEPARTURES, {}, DepartureReceipt.read)


async def test_an_answer_of_the_allowed_size_is_read(tmp_path: Path, socket_enabled: None) -> None:
    authority = Authority(tmp_path / "authority")
    assert await read(Wordy(MAX_BODY_BYTES), authority, tmp_path) == RECEIPT


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 4 << 20])
async def test_no_more_of_an_answer_is_read_than_the_allowed_size(
    tmp_path: Path, socket_enabled: None, length: int
) -> None:
    """A witness would fill the memory of a home, although the end of its answer is a receipt."""
    authority = Authority(tmp_path / "authority")
    with pytest.raises(WitnessFault, match="cannot be read"):
        await read(Wordy(length), authority, tmp_path)
