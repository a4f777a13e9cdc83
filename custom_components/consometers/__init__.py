"""Consometers: a home's meters and its share in the federation."""
