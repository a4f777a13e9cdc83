"""A node of the federation: it holds series, grants access to them, and requests others'."""
