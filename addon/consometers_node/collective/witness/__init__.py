"""A node as the witness of other collectives: it holds their homes' keys, and opens their sums."""
