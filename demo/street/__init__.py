"""Homes of a street: many nodes in one process, each with its own account, database and meter.

What each answers and pushes is the node's own; only where its records come from is not Home
Assistant. This is the one part of the show house that knows the node's code.
"""
