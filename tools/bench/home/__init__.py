"""Benchmarks of a home's node and its forecast."""
