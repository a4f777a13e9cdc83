"""The members of a collective, its administrators, and the readers of its sums."""
