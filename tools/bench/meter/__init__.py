"""Benchmarks of a meter's frames."""
