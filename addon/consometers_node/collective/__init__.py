"""A collective: its members, what they gave, what that sums up to, and what of it may be known."""
