"""A bad line's effects on bytes. Rates are per byte; chance comes from a seeded `Random`."""

from dataclasses import dataclass
from random import Random

BURST = range(2, 13)
"""Bytes of a burst of noise."""
LOST_BURST = range(8, 121)
"""Bytes of a lost burst: what a reader that sleeps too long loses."""


@dataclass(slots=True)
class Faults:
    """How often a byte is altered (`noise`), lost (`lost`), or begins a burst that is lost.

    Noise flips a bit, sets the eighth one, replaces the byte, or replaces a burst of them.
    """

    noise: float = 0.0
    lost: float = 0.0
    lost_bursts: float = 0.0

    def apply(self, data: bytes, random: Random) -> bytes:
        """Return the bytes that arrive."""
        if not (self.noise or self.lost or self.lost_bursts):
            return data
        arrived = bytearray()
        gone = burst = 0
        for byte in data:
            if gone:
                gone -= 1
            elif burst:
                burst -= 1
                arrived.append(random.randrange(128))
            elif self.lost_bursts and random.random() < self.lost_bursts:
                gone = random.choice(LOST_BURST) - 1
            elif self.lost and random.random() < self.lost:
                continue
            elif self.noise and random.random() < self.noise:
                kind = random.randrange(8)
                if kind < 4:
                    arrived.append(byte ^ (1 << random.randrange(7)))
                elif kind == 4:
                    arrived.append(byte | 0x80)
                elif kind < 7:
                    arrived.append(random.randrange(128))
                else:
                    arrived.append(random.randrange(128))
                    burst = random.choice(BURST) - 1
            else:
                arrived.append(byte)
        return bytes(arrived)
