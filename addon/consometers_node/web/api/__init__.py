"""APIs of a node: for its Home Assistant, and for Prometheus."""
