"""How long many requests took, in a line."""

from collections.abc import Sequence
import statistics


def summary(seconds: Sequence[float]) -> str:
    """Return the 95th percentile, the median and the longest."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    median, most = statistics.median(seconds), max(seconds)
    return f"p95 {1e3 * p95:5.1f} ms, median {1e3 * median:5.1f} ms, most {1e3 * most:5.1f} ms"
