"""What slixmpp may write into a log.

It logs stanzas, and with them records and addresses: received ones that it cannot parse even as
errors. What matters of what it says, this room says in its own words. A developer who wants to see
stanzas sets the level of a logger below `slixmpp`.
"""

import logging


def quiet() -> None:
    """Keep slixmpp silent, unless someone chose a level for it."""
    logger = logging.getLogger("slixmpp")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
