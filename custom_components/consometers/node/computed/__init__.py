"""What a home computes of the sums that a collective publishes, and of its own meter."""
