"""script/bench corruption: how many altered groups pass each check.

Each frame of the virtual meter goes through noise. A group is altered if its bytes do not arrive
as they were sent. It passes a check if a group that was not sent comes out of it:

  checksum   the six bits alone
  checks     the decoder: checksum, label, length, characters
  believed   the meter's state, which no single reading changes

Parity is left out: 7E1 detects each single flipped bit, but a port that counts no parity, or a
network one, does not.
"""

import argparse
from collections import Counter, deque
from collections.abc import Callable
from random import Random
import re

from consometers_tic import (
    Decoder,
    Group,
    Meter,
    Mode,
    checksum,
    encode,
    encode_frame,
)

from .meters import METERS, SECONDS_PER_FRAME, Key, frames, key_of

NAMES = ("historique, single-phase, Tempo", "standard, single-phase, producer")
BIT_RATE = 0.001
_RECENT = 10
"""Frames in one of which all that comes out must have been sent."""
_DELIMITERS = re.compile(rb"[\x02-\x04\r\n]")
_SEPARATORS = {Mode.HISTORIQUE: ord(" "), Mode.STANDARD: ord("\t")}


def one_byte(data: bytearray, random: Random) -> None:
    """Replace a byte by another."""
    data[random.randrange(len(data))] = random.randrange(128)


def burst(data: bytearray, random: Random) -> None:
    """Replace two bytes in a row."""
    at = random.randrange(len(data) - 1)
    data[at : at + 2] = random.randbytes(2).translate(bytes(n & 0x7F for n in range(256)))


def flipped_bits(data: bytearray, random: Random) -> None:
    """Flip each bit at a rate."""
    for _ in range(random.binomialvariate(7 * len(data), BIT_RATE)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(7)


def lost_bytes(data: bytearray, random: Random) -> None:
    """Lose one to eight bytes in a row."""
    at = random.randrange(len(data))
    del data[at : at + random.randint(1, 8)]


def swapped_digits(data: bytearray, random: Random) -> None:
    """Raise a digit and lower the one after it by as much: the checksum stays right."""
    places = [n for n in range(len(data) - 1) if data[n : n + 2].isdigit()]
    at = random.choice(places)
    first, second = data[at] - 48, data[at + 1] - 48
    by = random.choice(
        [n for n in range(-9, 10) if n and 0 <= first + n <= 9 >= second - n >= 0] or [0]
    )
    data[at], data[at + 1] = data[at] + by, data[at + 1] - by


NOISES: dict[str, Callable[[bytearray, Random], None]] = {
    "one byte replaced": one_byte,
    "two bytes in a row replaced": burst,
    f"each bit flipped at {BIT_RATE:.1%}": flipped_bits,
    "1 to 8 bytes in a row lost": lost_bytes,
    "two digits altered, checksum right": swapped_digits,
}


def measure(
    sent: list[tuple[Group, ...]], mode: Mode, noise: Callable[[bytearray, Random], None], seed: int
) -> Counter[str]:
    """Count what passes of frames, each of which noise has altered."""
    random = Random(seed)
    counts: Counter[str] = Counter()
    decoder, meter, at = Decoder(mode), Meter(), 0.0
    recent: deque[set[Key]] = deque(maxlen=_RECENT)
    for groups in sent:
        arrived = bytearray(encode_frame(groups))
        noise(arrived, random)
        received = bytes(arrived)
        segments = {
            encode(g.label.name, g.raw, mode, g.raw_horodate)[1:-1]: key_of(g) for g in groups
        }
        came = set(_DELIMITERS.split(received))
        counts["altered"] += len(segments.keys() - came)
        counts["checksum"] += sum(
            _checksum_is_right(segment, mode) for segment in came - segments.keys()
        )
        recent.append(set(segments.values()))
        true = set[Key]().union(*recent)
        for frame in decoder.feed(received):
            counts["checks"] += sum(key_of(group) not in true for group in frame.groups.values())
            changed = meter.update(frame, at) & meter.readings.keys()
            counts["believed"] += sum(
                key_of(meter.readings[name].group) not in true for name in changed
            )
        at += SECONDS_PER_FRAME[mode]
    return counts


def _checksum_is_right(segment: bytes, mode: Mode) -> bool:
    if len(segment) < 3 or segment[-2] != _SEPARATORS[mode]:
        return False
    return checksum(segment[: -1 if mode is Mode.STANDARD else -2]) == segment[-1]


def main(arguments: list[str]) -> int:
    """Print a table; 1 if something that was not sent was believed."""
    parser = argparse.ArgumentParser(prog="script/bench corruption", description=__doc__)
    parser.add_argument("--frames", type=int, default=2000, help="frames of the meter")
    parser.add_argument("--rounds", type=int, default=10, help="how often they are sent")
    options = parser.parse_args(arguments)
    print("| mode | noise | groups altered | checksum | checks | believed |")
    print("|---|---|---:|---:|---:|---:|")
    believed = 0
    for name in NAMES:
        mode, _ = METERS[name]
        sent = frames(name, options.frames)
        for noise, function in NOISES.items():
            counts: Counter[str] = Counter()
            for seed in range(options.rounds):
                counts += measure(sent, mode, function, seed)
            shares = " | ".join(
                f"{counts[check] / counts['altered']:.3%} ({counts[check]:,})"
                for check in ("checksum", "checks", "believed")
            )
            print(f"| {mode} | {noise} | {counts['altered']:,} | {shares} |", flush=True)
            believed += counts["believed"]
    return 1 if believed else 0
