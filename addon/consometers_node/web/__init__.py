"""The pages of a node, and the API that its Home Assistant asks.

site        the application: routes, and what each response carries
access      who may connect at all
users       who acts, and whether that is an administrator
api         docs/node-api.md
"""

from .site import Site

__all__ = ["Site"]
