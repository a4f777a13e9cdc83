"""Charts as coordinates, and the tables beside them. Pure."""
