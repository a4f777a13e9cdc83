"""Commands of a household: its Home Assistant, and what it answers."""
