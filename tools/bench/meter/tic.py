"""script/bench tic: decoding against pyteleinfo, and microseconds per frame.

pyteleinfo decodes one frame at a time and no stream: it is given frames already cut, which ours
has to find. Every round starts with a decoder that has seen nothing, rounds of both alternate,
and the median counts.
"""

import argparse

from teleinfo.__version__ import __version__
from teleinfo.codec import decode

from consometers_tic import Decoder, Meter, encode_frame
from tools.bench.harness.timing import medians

from .meters import METERS, SECONDS_PER_FRAME, frames

AT_LEAST = 2.0
"""How many times as fast as the other we want to be."""
_PEER = "historique, single-phase, off-peak"
_READ = 256


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if we are not fast enough."""
    parser = argparse.ArgumentParser(prog="script/bench tic", description=__doc__)
    parser.add_argument("--frames", type=int, default=1000, help="frames a round")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    ratio = _against_peer(options.frames, options.rounds)
    for name in METERS:
        _per_frame(name, options.frames, options.rounds)
    return 0 if ratio >= AT_LEAST else 1


def _against_peer(count: int, rounds: int) -> float:
    sent = frames(_PEER, count)
    cut = [encode_frame(groups) for groups in sent]
    stream = b"".join(cut)
    reads = [stream[n : n + _READ] for n in range(0, len(stream), _READ)]

    def peer() -> list[dict[str, str]]:
        return [decode(frame) for frame in cut]

    def peer_unverified() -> list[dict[str, str]]:
        return [decode(frame, verify_well_formed=False) for frame in cut]

    def ours() -> list[dict[str, str]]:
        decoder = Decoder()
        return [
            {name: group.raw for name, group in frame.groups.items()}
            for read in reads
            for frame in decoder.feed(read)
        ]

    truth = [{group.label.name: group.raw for group in groups} for groups in sent]
    assert peer() == peer_unverified() == ours() == truth
    times = [1e6 / count * s for s in medians(rounds, peer, peer_unverified, ours)]
    print(f"{_PEER}: {count} frames of {len(stream) / count:.0f} bytes, {rounds} rounds")
    print(f"  pyteleinfo {__version__}                      {times[0]:7.1f} µs/frame")
    print(f"  pyteleinfo, frames not verified       {times[1]:7.1f} µs/frame")
    print(f"  ours, all validation on               {times[2]:7.1f} µs/frame")
    ratio = min(times[:2]) / times[2]
    print(f"  ours is {ratio:.1f} times as fast")
    return ratio


def _per_frame(name: str, count: int, rounds: int) -> None:
    mode, _ = METERS[name]
    encoded = [encode_frame(groups) for groups in frames(name, count)]
    decoder = Decoder()
    decoded = [frame for data in encoded for frame in decoder.feed(data)]
    step = float(SECONDS_PER_FRAME[mode])

    def decode_all() -> None:
        decoder = Decoder()
        for data in encoded:
            decoder.feed(data)

    def decode_and_believe() -> None:
        decoder, meter, at = Decoder(), Meter(), 0.0
        for data in encoded:
            for frame in decoder.feed(data):
                meter.update(frame, at)
            at += step

    alone, both = (1e6 / count * s for s in medians(rounds, decode_all, decode_and_believe))
    print(
        f"{name}: {len(decoded[-1].groups)} groups, {len(encoded[-1])} bytes:"
        f" Decoder {alone:.1f} µs/frame, Decoder and Meter {both:.1f} µs/frame"
    )
