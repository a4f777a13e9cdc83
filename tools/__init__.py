"""Programs for developers, and for whoever wires a dongle."""
