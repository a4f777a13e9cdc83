"""The state of a collective's node, in figures."""
