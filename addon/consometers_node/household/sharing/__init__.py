"""Keeps the blocks of granted series in step with Home Assistant, and answers peers."""
