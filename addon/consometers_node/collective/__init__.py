"""A collective: its members, their records, their sums, and which of these are published."""
