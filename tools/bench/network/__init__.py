"""Benchmarks of messages and of XMPP servers."""
