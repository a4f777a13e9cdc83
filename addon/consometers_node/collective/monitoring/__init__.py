"""How the node of a collective does, in figures."""
