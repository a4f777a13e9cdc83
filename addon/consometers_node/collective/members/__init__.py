"""The members of a collective, who administers it, and who reads what it publishes."""
