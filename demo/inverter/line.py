"""Modbus RTU on a pseudo-terminal, as far as reading a device needs it.

A reader that sets another speed is not understood. Source: Modbus over Serial Line V1.02 §2.5.
"""

import asyncio
from contextlib import suppress
import os
from pathlib import Path
import struct
import termios
import tty
from typing import Final

from tmodbus.utils.crc import calculate_crc16, validate_crc16

from consometers_tic_virtual.port.outlet import check_link, point_link, remove_link

from .answers import Answers

BAUD: Final = 9_600
BAUDS: Final = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)

_REQUEST: Final = struct.Struct(">BBHHH")
_ON_A_LINE: Final = range(1, 248)
_READ_SIZE: Final = 4_096
_SPEED: Final = 5


class Line:
    """A serial port that answers for units, under a path of its own where one is given."""

    def __init__(self, answers: Answers, link: Path | None = None, *, baud: int = BAUD) -> None:
        self.device = ""
        """The port for a reader, known once it is plugged."""
        self._answers = answers
        self._link = link
        self._path = ""
        self._speed = getattr(termios, f"B{baud}")
        self._master: int | None = None
        self._slave = -1
        self._heard = bytearray()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def plug(self) -> None:
        if self._master is not None:
            return
        check_link(self._link)
        # Held open here too: a line without a reader is quiet, and not gone.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path = os.ttyname(self._slave)
        point_link(self._link, self._path)
        self.device = self._path if self._link is None else str(self._link)
        self._heard.clear()
        asyncio.get_running_loop().add_reader(self._master, self._hear, self._master)
        self._task = asyncio.create_task(self._serve(self._master))

    async def unplug(self) -> None:
        """Take the port away from the program that has it open."""
        if self._master is None or self._task is None:
            return
        master, self._master = self._master, None
        asyncio.get_running_loop().remove_reader(master)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        os.close(self._slave)
        os.close(master)
        remove_link(self._link, self._path)

    def _hear(self, master: int) -> None:
        heard = os.read(master, _READ_SIZE)
        if termios.tcgetattr(master)[_SPEED] == self._speed:
            self._heard += heard
            self._arrived.set()

    async def _serve(self, master: int) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while (request := self._request()) is not None:
                unit_id, pdu = request
                answer = await self._answers.to(unit_id, pdu)
                if answer is not None:
                    # Without a reader it is lost, as on a wire.
                    with suppress(BlockingIOError):
                        os.write(master, self._framed(unit_id, answer))

    def _request(self) -> tuple[int, bytes] | None:
        """Take a complete request; invalid bytes are skipped one by one."""
        while len(self._heard) >= _REQUEST.size:
            frame = bytes(self._heard[: _REQUEST.size])
            if frame[0] in _ON_A_LINE and validate_crc16(frame):
                del self._heard[: _REQUEST.size]
                return frame[0], frame[1:-2]
            del self._heard[0]
        return None

    def _framed(self, unit_id: int, answer: bytes) -> bytes:
        frame = bytes((unit_id,)) + answer
        checksum = calculate_crc16(frame)
        frame += checksum[::-1] if self._answers.mistakes else checksum
        return frame[: len(frame) // 2] if self._answers.breaks_off else frame
