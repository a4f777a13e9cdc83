"""What anybody may see of a collective: pages, cards, walls, open data. Nothing is changed here.

site          the application, and where it listens
routes        every address once
handlers      what all answers have in common
amounts       what charts show, computed of released figures
comparisons   energy in everyday words
"""

from .site import Public

__all__ = ["Public"]
