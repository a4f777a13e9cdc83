"""Closes intervals: decides once what of each is published, and stores it for good."""
