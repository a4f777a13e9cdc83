"""The administration of a collective: pages for those who run it, and nobody else.

site        the application, to be mounted beside the public pages
routes      every page and every form once
desk        what all pages have in common: who may, how a page is made, what is written down
login       coming in and going out
"""

from .site import Administration
from .visit import PATH

__all__ = ["PATH", "Administration"]
