"""What programs ask of a node: its Home Assistant, and Prometheus."""
