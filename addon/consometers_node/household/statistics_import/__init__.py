"""Imports series of peers, and sums of collectives, as statistics of Home Assistant."""
