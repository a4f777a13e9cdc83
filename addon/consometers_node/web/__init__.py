"""The pages of a node, and the API that its Home Assistant asks."""
