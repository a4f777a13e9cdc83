"""The node as the image has it."""

from testing.addon.installed import installed, wheel
