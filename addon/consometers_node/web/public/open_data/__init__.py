"""Open data: tables by address, their dictionary, and all of them at once."""
