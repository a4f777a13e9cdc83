"""The supplier's calendar: the names of its tariffs, and when the next one begins."""
