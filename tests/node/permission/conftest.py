"""A household's database with permissions in all states, and an attacker with plain SQL."""

from testing.homes.permissions import cheat, settled, world
