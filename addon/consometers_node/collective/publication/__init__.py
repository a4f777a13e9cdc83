"""Closes intervals, and reads what was published."""
