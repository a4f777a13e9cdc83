"""Quoalise, the federation's protocol, as data: bytes or elements in, frozen values out, and back.

Pure: no network, no I/O, no clock, no logger, and no words for people. Nothing raises but
`QuoaliseError`; what cannot be read raises its `Malformed`, which names the place. What a module
reads and writes:

    data             <quoalise>: metadata and records
    requests         <command>: what a peer asks
    answers          <command>: forms to fill in, and success
    stanza_errors    <error>: refusals
    permissions_xml  <data-needs>, <permission>, <receipt>
    letters          <letter>
    protected_sums   <reports>, <verification>, <verified>, <opening>, <opened>
    decoding         foreign bytes of any format, by its decoder
    history          the answers of a long range, put together
    documents        a history as JSON, CSV or XML
    identifier       urn:dev:…
    iso8601          times and durations
    values           what the records of each kind of series may hold

`commands.COMMANDS` holds every command once, `problems.Problem` everything that can be wrong,
`errors.Code` the other errors. An application puts codes into words by `words.Words`.
"""

from . import answers, commands, iso8601, requests, stanza_errors
from .answers import Listed, Prices, Shares
from .commands import COMMANDS, Node, Role
from .elements.fragment import Fragment
from .errors import (
    BadRequest,
    Code,
    ErrorType,
    ItemNotFound,
    Malformed,
    NotAuthorized,
    OtherError,
    ProtocolError,
    QuoaliseError,
    ResourceConstraint,
    UpstreamError,
)
from .federation import permissions_xml, protected_sums
from .federation.challenge import Challenge, Change
from .federation.letters import Letter
from .federation.permissions import (
    DataNeed,
    DataNeedSeries,
    Erased,
    ExportPart,
    Identification,
    Permission,
    Quantity,
    Reading,
    Receipt,
    State,
    Witness,
)
from .federation.protected_sums import (
    MaskedReport,
    Opened,
    Opening,
    Reports,
    VerificationRequest,
    Verified,
)
from .iso8601 import Duration
from .languages import DEFAULT_LANGUAGE, ByLanguage
from .notices import Event, Notice
from .problems import Problem
from .records import data, identifier
from .records.data import Data
from .records.history import History
from .records.identifier import Device, Direction, Identifier, SeriesPath, pseudonym
from .records.metadata import (
    DeviceIdentifier,
    DeviceType,
    Measurement,
    MeasuringDevice,
    Metadata,
    UnknownContent,
    describe,
)
from .records.senml import MAX_PUSHED, MAX_RECORDS, Number, Records
from .requests import GetHistory
from .words import Words

__all__ = [
    "COMMANDS",
    "DEFAULT_LANGUAGE",
    "MAX_PUSHED",
    "MAX_RECORDS",
    "BadRequest",
    "ByLanguage",
    "Challenge",
    "Change",
    "Code",
    "Data",
    "DataNeed",
    "DataNeedSeries",
    "Device",
    "DeviceIdentifier",
    "DeviceType",
    "Direction",
    "Duration",
    "Erased",
    "ErrorType",
    "Event",
    "ExportPart",
    "Fragment",
    "GetHistory",
    "History",
    "Identification",
    "Identifier",
    "ItemNotFound",
    "Letter",
    "Listed",
    "Malformed",
    "MaskedReport",
    "Measurement",
    "MeasuringDevice",
    "Metadata",
    "Node",
    "NotAuthorized",
    "Notice",
    "Number",
    "Opened",
    "Opening",
    "OtherError",
    "Permission",
    "Prices",
    "Problem",
    "ProtocolError",
    "Quantity",
    "QuoaliseError",
    "Reading",
    "Receipt",
    "Records",
    "Reports",
    "ResourceConstraint",
    "Role",
    "SeriesPath",
    "Shares",
    "State",
    "UnknownContent",
    "UpstreamError",
    "VerificationRequest",
    "Verified",
    "Witness",
    "Words",
    "answers",
    "commands",
    "data",
    "describe",
    "identifier",
    "iso8601",
    "permissions_xml",
    "protected_sums",
    "pseudonym",
    "requests",
    "stanza_errors",
]
