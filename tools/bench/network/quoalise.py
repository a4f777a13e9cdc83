"""script/bench quoalise: reading and writing a month of hourly records, against the bare XML.

The floor of reading is ElementTree's parse of the same bytes, that of writing ElementTree's
serialisation of the same element. Each runs in turn with ours, and the median counts.
"""

import argparse
from collections.abc import Callable
from random import Random
from xml.etree import ElementTree as ET

from consometers_quoalise import Data, DeviceType, Direction, Duration, Number, Records, describe
from consometers_quoalise.records import data
from consometers_quoalise.records.identifier import device, series
from tools.bench.harness.timing import medians

READ_AT_MOST, WRITE_AT_MOST = 1.7, 2.0
"""How many times its floor each way may take."""
_RECORDS = 744
_START = 1_790_000_000 - 1_790_000_000 % 86_400


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if reading or writing takes too long beside its floor."""
    parser = argparse.ArgumentParser(prog="script/bench quoalise", description=__doc__)
    parser.add_argument("--rounds", type=int, default=301)
    options = parser.parse_args(arguments)
    month = message()
    document = data.encode(month)
    element = ET.fromstring(document)
    assert data.decode(document) == data.read(element) == month
    print(f"{_RECORDS} hourly records, {len(document)} bytes, {options.rounds} rounds")
    reading = _compare(
        "read",
        options.rounds,
        ("ElementTree, parse alone", lambda: ET.fromstring(document)),
        ("ours, bytes to records", lambda: data.decode(document)),
        ("ours, element to records", lambda: data.read(element)),
    )
    writing = _compare(
        "write",
        options.rounds,
        ("ElementTree, serialise alone", lambda: ET.tostring(element)),
        ("ours, records to bytes", lambda: data.encode(month)),
        ("ours, records to element", lambda: data.write(month)),
    )
    return 0 if reading <= READ_AT_MOST and writing <= WRITE_AT_MOST else 1


def message() -> Data:
    """Return a month of a home's consumption, the same every time."""
    consumption = series(device("urn:dev:prm:30001610071843"), Direction.CONSUMPTION)
    random = Random(1)
    values: dict[Number, Number] = {
        _START + 3600 * n: random.randrange(50, 6000) for n in range(_RECORDS)
    }
    metadata = describe(consumption, Duration(seconds=3600), DeviceType.METER)
    return Data(metadata, (Records(str(consumption), "W", values),))


def _compare(what: str, rounds: int, *measured: tuple[str, Callable[[], object]]) -> float:
    """Print what each took, the floor first; give the ratio of the second to it."""
    names, functions = zip(*measured, strict=True)
    taken = [1e6 * s for s in medians(rounds, *functions)]
    for name, time in zip(names, taken, strict=True):
        print(f"  {what:6} {name:30} {time:8.0f} µs  {time / taken[0]:5.2f}")
    return taken[1] / taken[0]
