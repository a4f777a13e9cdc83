"""A household: its Home Assistant, what it shares of that, and sums of collectives in it."""
