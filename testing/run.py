"""What a run of the tests may count on: time, programs, databases."""

import os
from typing import Final, NoReturn

import pytest

FULL: Final = os.environ.get("CI_FULL") == "1"
"""Whether all is tested that can be, which takes its time: before a release."""


DEADLINE_S: Final = 120.0
"""How long a test waits for what it does not measure, so that a busy machine fails none."""


def lack(needed: str) -> NoReturn:
    """Skip the test. Where `CI` is set, fail it: a skipped test would say that all is well."""
    reason = f"This test needs {needed}."
    if "CI" in os.environ:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


ON_BOTH_DATABASES = (
    "hostile/test_clock.py",
    "hostile/test_disk.py",
    "hostile/test_insider.py",
    "hostile/test_member.py",
    "hostile/test_halves.py",
    "hostile/test_refused_rows.py",
    "node/collective/witness/test_forgotten_keys.py",
    "node/collective/publication/test_protected_sums.py",
    "node/collective/publication/test_queries.py",
    "node/collective/witness/test_witness.py",
    "node/collective/witness/test_codes.py",
    "node/collective/publication/test_worker.py",
    "node/permission",
    "node/store",
)
"""Where what differs between databases is tried: statements, rules, transactions, migrations."""
