"""The length of the step that ends at each stamp of a curve.

A distance is shorter than the step before where a shorter one begins; it is longer where one begins
or rows are missing. So a longer step counts only where several follow each other.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

MINUTES: Final = (5, 10, 15, 30, 60)
_SEVERAL: Final = 3
_SAMPLE: Final = 48


def steps(ends: Sequence[datetime], declared: int | None = None) -> list[int | None]:
    """Return minutes for each of these times, which increase; None where no length is certain."""
    distances = [(after - before).total_seconds() / 60 for before, after in pairwise(ends)]
    step = declared if declared in MINUTES else _most_common(distances)
    if step is None:
        return [None] * len(ends)
    lengths: list[int | None] = []
    for place, distance in enumerate(distances):
        if distance in MINUTES:
            several = distances[place : place + _SEVERAL]
            if distance < step or several == [distance] * _SEVERAL:
                step = int(distance)
        lengths.append(step)
    return [lengths[0] if lengths else step, *lengths] if ends else []


def _most_common(distances: Sequence[float]) -> int | None:
    counts = Counter(distance for distance in distances[:_SAMPLE] if distance in MINUTES)
    if not counts:
        return None
    return int(min(counts, key=lambda distance: (-counts[distance], distance)))
