"""The administration of a collective: pages for those who run it, and nobody else.

site        the application, to be mounted beside the public pages
routes      every page and every form once
handlers    what all pages have in common: who may, how a page is made, what is written down
login       coming in and going out
"""

from .request_context import PATH
from .site import Administration

__all__ = ["PATH", "Administration"]
