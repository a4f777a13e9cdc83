"""Ports that the meter's bytes come out of."""
