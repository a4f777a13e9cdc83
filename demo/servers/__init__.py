"""Programs on loopback: the node, Prosody, a Supervisor, an HTTPS address."""
