"""Checks that the tests cover each module enough: coverage json -o - | python -m tools.covered.

The rule `test-coverage` of Home Assistant's quality scale asks it of each of an integration.
"""

import json
import sys
from typing import Final

LEAST: Final = 95.0


def main() -> int:
    """Print the modules that are covered too little; 1 if there is any."""
    status = 0
    for name, file in json.load(sys.stdin)["files"].items():
        if (share := file["summary"]["percent_covered"]) < LEAST:
            words = f"{share:.1f} % of it is tested, {LEAST:.0f} % at least are wanted"
            print(f"{name}: {words}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
