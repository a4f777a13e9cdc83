"""A file that a person was shown, and has not kept yet."""

from dataclasses import dataclass
from datetime import datetime

from consometers_node.household.files.brought import Brought


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What was read of it, for whom, and until when it can be kept."""

    token: str
    person: str
    brought: Brought
    until: datetime
