"""A Modbus device's answers, whatever the wire: functions 3 and 4.

Source: Modbus Application Protocol V1.1b3 §6.3, §6.4, §7.
"""

import asyncio
from collections.abc import Callable
from enum import IntEnum
import struct
from typing import Final

from consometers_tic_virtual.world.noise import unit

from .faults import Stranger, WireFaults
from .image import Image

LONGEST_PDU: Final = 253

_READ: Final = struct.Struct(">BHH")
_READ_FUNCTIONS: Final = (3, 4)
_MOST_REGISTERS: Final = 125
_SILENT, _BUSY, _ILLEGAL, _DROPPED, _MISTAKEN = 921, 922, 923, 924, 925


class Refusal(IntEnum):
    """Exception codes."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    SERVER_DEVICE_BUSY = 6
    GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND = 11


class Answers:
    """Answers for units.

    `image` gives the registers of a unit, None if there is no such unit. `mute` says whether
    nobody answers at the moment. Which requests a fault hits is the same for the same seed.
    """

    def __init__(
        self, image: Callable[[int], Image | None], mute: Callable[[], bool], *, seed: int = 1
    ) -> None:
        self.faults = WireFaults()
        self.requests = 0
        """How many have come so far."""
        self._image = image
        self._mute = mute
        self._seed = seed

    @property
    def mistakes(self) -> bool:
        """Whether to answer another request than this one."""
        return self._hits(self.faults.mistaken, _MISTAKEN)

    @property
    def breaks_off(self) -> bool:
        return self._hits(self.faults.dropped, _DROPPED)

    async def to(self, unit_id: int, pdu: bytes) -> bytes | None:
        """Answer a request, or do not."""
        self.requests += 1
        if self.faults.delay_s:
            await asyncio.sleep(self.faults.delay_s)
        return self._answer(unit_id, pdu)

    def _answer(self, unit_id: int, pdu: bytes) -> bytes | None:
        faults, function = self.faults, pdu[0]
        if self._mute() or self._hits(faults.silent, _SILENT):
            return None
        image = self._image(unit_id)
        if image is None:
            if faults.stranger is Stranger.SILENT:
                return None
            return _refused(function, Refusal.GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND)
        if self._hits(faults.busy, _BUSY):
            return _refused(function, Refusal.SERVER_DEVICE_BUSY)
        if function not in _READ_FUNCTIONS:
            return _refused(function, Refusal.ILLEGAL_FUNCTION)
        if len(pdu) != _READ.size:
            return _refused(function, Refusal.ILLEGAL_DATA_VALUE)
        _, address, count = _READ.unpack(pdu)
        if not 1 <= count <= _MOST_REGISTERS:
            return _refused(function, Refusal.ILLEGAL_DATA_VALUE)
        words = image.read(address, count)
        if words is None or self._hits(faults.illegal, _ILLEGAL):
            return _refused(function, Refusal.ILLEGAL_DATA_ADDRESS)
        return struct.pack(f">BB{count}H", function, 2 * count, *words)

    def _hits(self, rate: float, fault: int) -> bool:
        return unit(self._seed + fault, self.requests) < rate


def _refused(function: int, refusal: Refusal) -> bytes:
    return bytes((function | 0x80, refusal))
