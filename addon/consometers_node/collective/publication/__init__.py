"""Closes intervals, and reads published figures."""
