"""Tables of a host: who has a space there."""
