"""The pages of a node, and the API for its Home Assistant."""
