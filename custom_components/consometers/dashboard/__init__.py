"""A ready dashboard: my home, my panels, my collectives, with cards of core alone."""
