"""Benchmarks of a collective: what it takes in, closes, publishes and hides."""
