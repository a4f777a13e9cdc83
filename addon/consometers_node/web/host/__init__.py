"""Pages of a host: the spaces of households, and its administration."""
