"""Time for the full run, in which each surface is tried for as long as its budget says."""

from pathlib import Path

import pytest

from testing.hostile.exploring import FULL_S
from testing.run import FULL

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if FULL:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.timeout(2 * max(FULL_S.values()) + 120))
