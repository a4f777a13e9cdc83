"""A dashboard that is ready: my home, my panels, my collectives, with cards of core alone."""
