"""Witnesses of a home's sums: enrolling, leaving, and looking at what was opened."""
