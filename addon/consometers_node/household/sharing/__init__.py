"""Keeps the blocks of what was granted as Home Assistant has them, and answers peers."""
