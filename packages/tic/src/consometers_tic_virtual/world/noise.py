"""Reproducible chance: the same seed and number always give the same."""

from math import floor

_MASK = (1 << 64) - 1


def unit(seed: int, n: int) -> float:
    """Return a number in [0, 1), evenly spread over `n`. It is splitmix64."""
    x = (seed * 0x9E3779B97F4A7C15 + n * 0xD1B54A32D192ED03 + 0x8CB92BA72F3D8DD7) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((x ^ (x >> 31)) >> 11) / (1 << 53)


def smooth(seed: int, x: float) -> float:
    """Return a smooth function of `x`, in [0, 1), that is `unit` at whole numbers."""
    n = floor(x)
    f = x - n
    start = unit(seed, n)
    return start + (unit(seed, n + 1) - start) * f * f * (3 - 2 * f)
