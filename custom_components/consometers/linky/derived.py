"""Values that a meter does not send, derived from those that it sends."""

from collections import deque
from math import ceil, log

WINDOW_S = 60.0
"""Shortest time over which a register gives a power: it counts whole watt-hours."""
SHORT_S = 10.0
"""Shortest time over which it does right after a step that took longer than that window."""

FILTER = 0.008
"""Weight of the latest second in the breaker's filter. Source: Enedis-NOI-CPT_54E §7."""
MARGIN = 1.3
"""Times the cut-off power that the filter must reach. Source: Enedis-NOI-CPT_54E §7."""

QUALITY_OVER_S = 300.0
QUALITY_STEP_S = 10.0


class PowerFromRegister:
    """Mean active power, W, from the moments at which a register in Wh steps.

    Timing the steps is exact to the length of a frame, however small the power; counting them in
    a fixed time would be exact to a watt-hour only.
    """

    def __init__(self) -> None:
        """Start without a reading."""
        self._steps: deque[tuple[float, int]] = deque()
        self._earlier_at = self._latest_at = 0.0

    def update(self, energy_wh: int, at: float) -> None:
        """Take a reading of the register, `at` seconds of a monotonic clock."""
        self._earlier_at, self._latest_at = self._latest_at, at
        steps = self._steps
        if steps and energy_wh < steps[-1][1]:
            steps.clear()
        if steps and energy_wh == steps[-1][1]:
            return
        steps.append((at, energy_wh))
        while len(steps) > 2 and at - steps[1][0] >= WINDOW_S:
            steps.popleft()

    def power_w(self, apparent_va: int | None = None) -> int | None:
        """Return the latest power; None until the register was read over a whole window.

        From the last step to a reading without another it has counted less than one watt-hour,
        and no active power is above the apparent power: both bound the mean, so that it falls as
        soon as the load does. A value may be a frame old (Enedis-NOI-CPT_54E §6.2.1.5), so the
        reading before the latest is the one that counts.
        """
        if apparent_va == 0:
            return 0
        if not self._steps:
            return None
        quiet_s = self._earlier_at - self._steps[-1][0]
        mean_w = self._mean_w()
        if mean_w is None and quiet_s < WINDOW_S:
            return None
        bounds = [mean_w, 3600 / quiet_s if quiet_s > 0 else None, apparent_va]
        return round(min(bound for bound in bounds if bound is not None))

    def _mean_w(self) -> float | None:
        """Return the mean from step to step; None before they span a window.

        A step that took longer than a window says nothing of those that follow fast, as at dawn:
        it is left out as soon as they can do without it.
        """
        (first_at, first_wh), (last_at, last_wh) = self._steps[0], self._steps[-1]
        if last_at - first_at < WINDOW_S:
            return None
        if len(self._steps) > 2:
            second_at, second_wh = self._steps[1]
            if second_at - first_at > WINDOW_S and last_at - second_at >= SHORT_S:
                first_at, first_wh = second_at, second_wh
        return (last_wh - first_wh) * 3600 / (last_at - first_at)


class CutOff:
    """The filter by which the breaker of a Linky decides to open, and the time it leaves.

    Each second Y = B·X² + (1−B)·Y, with X the apparent power; it opens when Y ≥ (1.3·Pcoup)².
    """

    def __init__(self) -> None:
        """Start before the first reading."""
        self._filtered: float | None = None
        self._square = 0.0
        self._at = 0.0
        self._readings = 0

    def update(self, apparent_va: int, at: float) -> None:
        """Take the apparent power, of one phase where the meter has three."""
        if self._filtered is None:
            self._filtered = float(apparent_va) ** 2
        else:
            remaining = (1 - FILTER) ** max(0.0, at - self._at)
            self._filtered = self._square + (self._filtered - self._square) * remaining
        self._square, self._at = float(apparent_va) ** 2, at
        self._readings = min(self._readings + 1, 2)

    def seconds_left(self, cut_off_va: float) -> int | None:
        """Return the seconds until the breaker opens if the power stays; None if it never does.

        One reading does not show how long that much has been drawn: None too.
        """
        limit = (MARGIN * cut_off_va) ** 2
        if self._filtered is None or self._readings < 2 or self._square <= limit:
            return None
        if self._filtered >= limit:
            return 0
        return ceil(log((self._square - limit) / (self._square - self._filtered)) / log(1 - FILTER))


class LinkQuality:
    """The share of good groups among all that came lately, in percent."""

    def __init__(self) -> None:
        """Start before the first group."""
        self._samples: deque[tuple[float, int, int]] = deque()

    def update(self, good: int, refused: int, at: float) -> None:
        """Take the counts since the start."""
        samples = self._samples
        if samples and at - samples[-1][0] < QUALITY_STEP_S:
            return
        samples.append((at, good, refused))
        while at - samples[0][0] > QUALITY_OVER_S:
            samples.popleft()

    @property
    def percent(self) -> float | None:
        """Return the share; None while too little has come."""
        if len(self._samples) < 2:
            return None
        (_, first_good, first_refused), (_, good, refused) = self._samples[0], self._samples[-1]
        good, refused = good - first_good, refused - first_refused
        return round(100 * good / (good + refused), 1) if good + refused else None
