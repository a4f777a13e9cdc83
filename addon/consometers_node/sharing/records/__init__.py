"""Records on their way to peers: which are due, in which messages, and their sending."""
