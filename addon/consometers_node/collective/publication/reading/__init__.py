"""Reads published figures, for everything that shows them, and how intervals were closed."""
