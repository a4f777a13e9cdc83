"""How long a test waits for what it does not measure, so that a busy machine fails none."""

from typing import Final

DEADLINE_S: Final = 120.0
