"""A node of the federation: it holds series, grants permission to read them, asks for others'."""
