"""A real reader on a real port hears the meter: through a pty and through TCP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import serialx

from consometers_tic import Decoder, Frame, Mode
from consometers_tic_virtual import Faults, VirtualLinky
from packages.tic.tests.deadline import DEADLINE_S
from packages.tic.tests.meters import NOON, linky

FAST = 60


@asynccontextmanager
async def reader(port: str, baud: int = 9600) -> AsyncIterator[asyncio.StreamReader]:
    stream, writer = await serialx.open_serial_connection(
        port, baudrate=baud, bytesize=7, parity=serialx.Parity.EVEN
    )
    try:
        yield stream
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def frames(stream: asyncio.StreamReader, count: int = 3) -> list[Frame]:
    """Read so many whole frames."""
    decoder, heard = Decoder(), list[Frame]()
    async with asyncio.timeout(DEADLINE_S):
        while len(heard) < count:
            data = await stream.read(4096)
            assert data, "the port is gone"
            heard += (frame for frame in decoder.feed(data) if frame.complete)
    return heard


def virtual(
    mode: Mode = Mode.STANDARD, *, link: Path | None = None, tcp: int | None = None
) -> VirtualLinky:
    return VirtualLinky(linky(mode), link=link, tcp=tcp, speed=FAST, start=NOON.timestamp())


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "dongles" / "linky"


@pytest.mark.parametrize("mode", Mode)
async def test_a_pty_gives_whole_frames_at_the_meters_speed(mode: Mode, link: Path) -> None:
    async with virtual(mode, link=link) as meter:
        assert meter.port == str(link)
        assert link.is_symlink()
        async with reader(meter.port, 1200 if mode is Mode.HISTORIQUE else 9600) as stream:
            heard = await frames(stream)
    assert all(frame.correct and frame.mode is mode for frame in heard)
    assert not link.is_symlink()


async def test_an_idle_reader_does_not_block_the_meter(link: Path) -> None:
    async with virtual(link=link) as meter, reader(meter.port):
        line, start = meter.line, meter.line.at
        async with asyncio.timeout(DEADLINE_S):
            while line.at < start + 40:
                await asyncio.sleep(0.05)


async def test_an_existing_file_at_the_link_is_left_alone(link: Path) -> None:
    link.parent.mkdir()
    link.write_text("mine")
    with pytest.raises(FileExistsError):
        await virtual(link=link).start()
    assert link.read_text() == "mine"


async def test_several_readers_share_a_tcp_port() -> None:
    async with virtual(tcp=0) as meter:
        assert meter.port.startswith("socket://127.0.0.1:")
        async with reader(meter.port) as stream, reader(meter.port) as other:
            first, second = await asyncio.gather(frames(stream), frames(other))
    assert all(frame.correct for frame in [*first, *second])


async def test_faults_come_and_go(link: Path) -> None:
    async with virtual(link=link) as meter:
        meter.line.faults = Faults(0.02, 0.01, 0.01)
        async with reader(meter.port) as stream:
            decoder = Decoder()
            async with asyncio.timeout(DEADLINE_S):
                while decoder.counters.bytes < 4000:
                    decoder.feed(await stream.read(4096))
            assert sum(decoder.counters.rejected.values()) > 5
            meter.line.faults = Faults()
            assert any(frame.correct for frame in await frames(stream, 4))


async def test_wait_raises_the_meter_s_fault(link: Path) -> None:
    async with virtual(link=link) as meter:
        meter.linky.message = "PÂQUES"
        with pytest.raises(UnicodeEncodeError):
            async with asyncio.timeout(DEADLINE_S):
                await meter.wait()
