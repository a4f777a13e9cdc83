"""Processes that the show house starts, and that end with it."""
