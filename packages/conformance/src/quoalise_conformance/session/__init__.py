"""The kit's session on a network, and the stanzas that pass over it."""
