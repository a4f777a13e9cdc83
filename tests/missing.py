"""Tests that lack a program or a right: skipped on a person's machine, failed by `CI`."""

import os
from typing import NoReturn

import pytest


def lack(needed: str) -> NoReturn:
    """Skip the test. Where `CI` is set, fail it: a skipped test would say that all is well."""
    reason = f"This test needs {needed}."
    if "CI" in os.environ:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
