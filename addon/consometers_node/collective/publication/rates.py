"""Rates that sums make. Pure."""

from fractions import Fraction


def self_consumption(production: int, injection: int) -> Fraction | None:
    """Return the self-consumed share of production; None if the figures contradict each other."""
    if not 0 <= injection <= production or not production:
        return None
    return Fraction(production - injection, production)


def self_sufficiency(production: int, injection: int, consumption: int) -> Fraction | None:
    """Return the self-produced share of consumption; None if the figures contradict each other."""
    if not 0 <= injection <= production or not production - injection + consumption:
        return None
    return Fraction(production - injection, production - injection + consumption)
