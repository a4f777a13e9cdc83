"""Checks of requirements, by number."""
