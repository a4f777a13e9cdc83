"""Witnesses of a home's sums: enrolling, leaving, and reading what was opened."""
