"""The tables of a collective, and what is read from them and written to them."""
