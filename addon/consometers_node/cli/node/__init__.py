"""Commands of a node of either role: its account, its database, its status; and running it."""
