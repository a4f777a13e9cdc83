"""Durations: of functions by turns, and of requests."""

from collections.abc import Callable, Sequence
from statistics import median, quantiles
from time import perf_counter


def medians(rounds: int, *functions: Callable[[], object]) -> list[float]:
    """Run functions in turn, again and again; give the median of the seconds that each took."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for taken, function in zip(times, functions, strict=True):
            start = perf_counter()
            function()
            taken.append(perf_counter() - start)
    return [median(taken) for taken in times]


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(seconds, n=20)[-1]


def summary(seconds: Sequence[float]) -> str:
    """Return the 95th percentile, the median and the longest, in a line."""
    ranks = {"p95": p95(seconds), "median": median(seconds), "most": max(seconds)}
    return ", ".join(f"{name} {1e3 * s:5.1f} ms" for name, s in ranks.items())
