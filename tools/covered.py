"""Checks that the tests cover each module enough: coverage json -o - | python -m tools.covered.

The rule `test-coverage` of Home Assistant's quality scale asks it of each of an integration.
"""

import json
import sys
from typing import IO, Final

LEAST: Final = 95.0


def lacking(report: IO[str]) -> list[str]:
    """Return a line for each module that is covered too little, by a report in JSON."""
    shares = {
        name: file["summary"]["percent_covered"]
        for name, file in json.load(report)["files"].items()
    }
    return [f"{name}: {share:.1f} %" for name, share in shares.items() if share < LEAST]


def main() -> int:
    """Print the modules that are covered too little; 1 if there is any."""
    lines = lacking(sys.stdin)
    for line in lines:
        print(f"{line} of it is tested, {LEAST:.0f} % at least are wanted", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
