"""The federation around the school: homes, a cooperative, a municipality."""
