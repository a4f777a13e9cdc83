"""Rates that sums make. Pure."""

from fractions import Fraction


def self_consumption(production: int, injection: int) -> Fraction | None:
    """Give which share of what was produced was used; None where that cannot be told."""
    if not 0 <= injection <= production or not production:
        return None
    return Fraction(production - injection, production)


def self_sufficiency(production: int, injection: int, consumption: int) -> Fraction | None:
    """Give which share of what was used was produced; None where that cannot be told."""
    if not 0 <= injection <= production or not production - injection + consumption:
        return None
    return Fraction(production - injection, production - injection + consumption)
