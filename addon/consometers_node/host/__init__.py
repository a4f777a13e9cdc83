"""A host: it runs the nodes of households that have no Home Assistant."""
