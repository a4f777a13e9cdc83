"""The node's nouns as the protocol says them, and back: needs, permissions, names, records.

    needs             data needs and permissions, to and from their elements
    need_file         a data need that somebody wrote down
    naming            series and the identifiers under which peers know them
    encode            blocks as the records that leave
    decode            records that come, as records of a series
    witness_requests  what a home and its witness write to each other over HTTPS

Pure. What a preview shows and what a message carries is made by the same functions.
"""

from .encode import NOTHING_BESIDE, Beside, encode_series
from .naming import DELIVERY_POINT_DIGITS, Naming
from .need_file import read_need_file, read_need_mapping, write_need_file
from .needs import Unsayable, read_need, write_need, write_permission

__all__ = [
    "DELIVERY_POINT_DIGITS",
    "NOTHING_BESIDE",
    "Beside",
    "Naming",
    "Unsayable",
    "encode_series",
    "read_need",
    "read_need_file",
    "read_need_mapping",
    "write_need",
    "write_need_file",
    "write_permission",
]
