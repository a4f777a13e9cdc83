"""A serial port at another speed than the meter's, bit by bit."""

_DATA_BITS = 7
_CHARACTER_BITS = 10
_IDLE = 1


class Mistuned:
    """Turns bytes sent at one baud rate (7E1) into those that are read at another.

    It is what a receiver does: wait for a start bit, then look at the line in the middle of each
    bit that it expects. State goes from call to call.
    """

    def __init__(self, sent_baud: int, read_baud: int) -> None:
        self.read_baud = read_baud
        self.sent_baud = sent_baud
        self._ratio = sent_baud / read_baud
        self._bits: list[int] = []
        self._from = 0.0

    def hear(self, data: bytes) -> bytes:
        """Return the bytes that are read while these are sent."""
        for byte in data:
            self._bits += _character(byte & 0x7F)
        bits, ratio = self._bits, self._ratio
        heard = bytearray()
        position = self._from
        while True:
            index = int(position)
            if index < len(bits) and bits[index] == _IDLE:
                index = _find_start(bits, index)
                position = float(index)
            if position + _CHARACTER_BITS * ratio >= len(bits):
                break
            value = 0
            for n in range(_DATA_BITS):
                value |= bits[int(position + (1.5 + n) * ratio)] << n
            heard.append(value)
            position += (_CHARACTER_BITS - 0.5) * ratio
        done = min(int(position), len(bits))
        del bits[:done]
        self._from = position - done
        return bytes(heard)


def _character(value: int) -> list[int]:
    data = [value >> n & 1 for n in range(_DATA_BITS)]
    return [0, *data, sum(data) & 1, _IDLE]


def _find_start(bits: list[int], index: int) -> int:
    try:
        return bits.index(0, index)
    except ValueError:
        return len(bits)
