"""Challenges between groups: who takes part, and how they did, from published figures alone."""
