"""A household: its Home Assistant, what it shares, and the sums of collectives."""
