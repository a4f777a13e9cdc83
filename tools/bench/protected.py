"""script/bench protected: masking at home, opening at the witness, adding up at the collective.

An hour of N homes is opened for each of 24 hours, one core. The lower bound, in the same run, is
the bare HMAC-SHA512 of as many masks. A witness that was restarted derives the keys of the day
from those of 35 days ago, once; otherwise from yesterday's.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
import hmac
from random import Random
from statistics import median
from time import perf_counter

from consometers_node.protected_sums.ledger import Ledger
from consometers_node.protected_sums.masks import (
    KEY_BYTES,
    NONCE_BYTES,
    NONCE_SECRET_BYTES,
    SQUARES_MODULUS,
    SUM_MODULUS,
    DayKey,
    Report,
    Subject,
)
from consometers_node.protected_sums.opening import KEYS_FOR, Enrolment, Witness
from consometers_node.quoalise.protected_sums import MaskedSum, OpenedSum, Part
from consometers_node.series import Direction

HOURS = 24
MOST_S_AT_HOME = 0.001
MOST_S_AT_WITNESS = 20.0 / 100_000
"""For the 24 hours of a home, as at the collective."""
MOST_S_AT_COLLECTIVE = 0.5 / 10_000
MOST_BYTES_OF_LEDGER = 8.0
"""Per home, direction and day."""

_DAY = date(2026, 11, 28)
_SUBJECTS = [
    Subject("energies.example", Direction.CONSUMPTION, datetime(2026, 11, 28, hour, tzinfo=UTC))
    for hour in range(HOURS)
]


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if an aim is missed."""
    parser = argparse.ArgumentParser(prog="script/bench protected", description=__doc__)
    parser.add_argument("--homes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    counts = parser.parse_args(arguments).homes
    return 0 if all([_at_home(), *map(_opened, counts)]) else 1


def _at_home() -> bool:
    random = Random(1)
    key = DayKey(_DAY, random.randbytes(KEY_BYTES))
    secret = random.randbytes(NONCE_SECRET_BYTES)

    def day() -> list[Report]:
        return [Report.of(400, subject, key, secret) for subject in _SUBJECTS]

    seconds = median(_seconds(day) for _ in range(15))
    print(f"a day at home: {1e6 * seconds:.0f} µs; at most {1e6 * MOST_S_AT_HOME:.0f} are wanted")
    return seconds <= MOST_S_AT_HOME


def _opened(count: int) -> bool:
    random = Random(count)
    oldest = _DAY - KEYS_FOR
    first_keys = [DayKey(oldest, random.randbytes(KEY_BYTES)) for _ in range(count)]
    keys = [key.on(_DAY) for key in first_keys]
    secrets = [random.randbytes(NONCE_SECRET_BYTES) for _ in range(count)]
    everybody = frozenset({Direction.CONSUMPTION})
    witness = Witness(
        {str(home): Enrolment(key, everybody, 10) for home, key in enumerate(first_keys)},
        ledger := Ledger(),
    )
    yesterday = _DAY - timedelta(days=1)
    parts = tuple(Part(str(home), yesterday, bytes(NONCE_BYTES)) for home in range(count))
    # Its values are none of homes: all the work is done, and nothing is opened.
    asked = MaskedSum("all", parts, 0, 0)
    before = replace(_SUBJECTS[0], hour=_SUBJECTS[0].hour - timedelta(hours=1))
    restarted = _seconds(lambda: witness.open(before, [asked], _DAY))
    bare = at_witness = at_collective = 0.0
    for subject in _SUBJECTS:
        reports = [
            Report.of(200 + home % 400, subject, key, secret)
            for home, (key, secret) in enumerate(zip(keys, secrets, strict=True))
        ]
        parts = tuple(
            Part(str(home), report.day, report.nonce) for home, report in enumerate(reports)
        )
        bare += _seconds(lambda: _hmacs(keys, subject, reports))  # noqa: B023
        begun = perf_counter()
        asked = MaskedSum(
            "all",
            parts,
            sum(report.masked for report in reports) % SUM_MODULUS,
            sum(report.masked_square for report in reports) % SQUARES_MODULUS,
        )
        at_collective += perf_counter() - begun
        begun = perf_counter()
        (answer,) = witness.open(subject, [asked], _DAY)
        at_witness += perf_counter() - begun
        assert isinstance(answer, OpenedSum)
        assert answer.wh == sum(200 + home % 400 for home in range(count))
    stored = sum(len(hours) for _, hours in ledger.items())
    a_day = stored / count / _DAY.day
    print(
        f"{count} homes, {HOURS} hours: witness {at_witness:.2f} s"
        f" ({at_witness / bare:.2f} × the bare HMACs, {bare:.2f} s),"
        f" collective {at_collective:.3f} s, ledger {a_day:.1f} bytes a day;"
        f" the first hour after a restart {restarted:.2f} s"
    )
    return (
        at_witness <= count * MOST_S_AT_WITNESS
        and at_collective <= count * MOST_S_AT_COLLECTIVE
        and a_day <= MOST_BYTES_OF_LEDGER
    )


def _hmacs(keys: Sequence[DayKey], subject: Subject, reports: Sequence[Report]) -> None:
    encoded = subject.encoded()
    for key, report in zip(keys, reports, strict=True):
        hmac.digest(key.secret, encoded + report.nonce, "sha512")


def _seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun
