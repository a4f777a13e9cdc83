"""Messages as peers send them, and strategies for the protocol's values. No meter is real."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from hypothesis import strategies as st

from consometers_protected_sums.exchange import (
    Group,
    MaskedSum,
    OpenedSum,
    Part,
    Refusal,
    RefusedHomes,
    RefusedSum,
)
from consometers_quoalise import (
    Challenge,
    Change,
    Data,
    DataNeed,
    DataNeedSeries,
    Device,
    DeviceIdentifier,
    Direction,
    Duration,
    Erased,
    ExportPart,
    Fragment,
    Identification,
    Identifier,
    Listed,
    MaskedReport,
    Measurement,
    MeasuringDevice,
    Metadata,
    Number,
    Opened,
    Opening,
    Permission,
    Prices,
    Quantity,
    Reading,
    Receipt,
    Records,
    Reports,
    Shares,
    UnknownContent,
    VerificationRequest,
    Verified,
    Witness,
    answers,
    requests,
)
from consometers_quoalise.federation import permissions_xml, protected_sums
from consometers_quoalise.federation.permissions import SUBSCRIBED_KVA, State
from consometers_quoalise.records import data
from consometers_quoalise.records.identifier import device, identifier
from consometers_quoalise.records.senml import FIRST_TIME, LAST_TIME, MAX_NUMBER

POWER = "urn:dev:prm:30001610071843_consumption/power/active/raw"

EXAMPLE = f"""
<quoalise xmlns="urn:quoalise:0">
  <data>
    <meta>
      <device type="electricity-meter"><identifier authority="enedis" type="prm" value="30001610071843"/></device>
      <measurement name="active-power" direction="consumption" quantity="power" type="electrical" unit="W" aggregation="mean" sampling-interval="PT30M"/>
    </meta>
    <sensml xmlns="urn:ietf:params:xml:ns:senml">
      <senml bn="{POWER}" bt="1583016600" t="0" v="100" bu="W"/>
      <senml t="1800" v="101"/>
    </sensml>
  </data>
</quoalise>
"""  # noqa: E501
"""The message of the protocol's public description."""

REQUEST = f"""
<iq type="set" to="node@example.org/quoalise" id="1">
  <command xmlns="http://jabber.org/protocol/commands" node="get_history" action="execute">
    <x xmlns="jabber:x:data" type="submit">
      <field var="identifier" type="text-single"><value>{POWER}</value></field>
      <field var="start_time" type="text-single"><value>2021-12-01T00:00:00+01:00</value></field>
      <field var="end_time" type="text-single"><value>2021-12-05T00:00:00+01:00</value></field>
    </x>
  </command>
</iq>
"""


def message(records: str, meta: str = "<meta/>") -> bytes:
    """A message around the `<senml>` of some records."""
    return (
        f'<quoalise xmlns="urn:quoalise:0"><data>{meta}'
        f'<sensml xmlns="urn:ietf:params:xml:ns:senml">{records}</sensml></data></quoalise>'
    ).encode()


def element(document: str | bytes) -> Element:
    return ET.fromstring(document)


# Values

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8).filter(
    lambda name: name[0].isalpha()
)
TIMES: st.SearchStrategy[Number] = st.integers(FIRST_TIME, LAST_TIME) | st.floats(
    FIRST_TIME, LAST_TIME
).map(lambda time: int(time) if time.is_integer() else time)
VALUES: st.SearchStrategy[Number] = st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(
    -MAX_NUMBER, MAX_NUMBER
).map(lambda value: int(value) if value.is_integer() else value)
EXPORT = ExportPart(
    id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    time=datetime(2027, 3, 1, 9, tzinfo=UTC),
    size=4,
    sha256=64 * "a",
    part=1,
    parts=1,
    content=b"PK\3\4",
)
RECORDS = st.builds(
    Records,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,30}", fullmatch=True),
    st.sampled_from([None, "W", "Wh", "VA", "V"]),
    st.dictionaries(TIMES, VALUES, min_size=1, max_size=12).map(
        lambda values: dict(sorted(values.items()))
    ),
)
DURATIONS = st.builds(
    Duration,
    years=st.integers(0, 99),
    months=st.integers(0, 99),
    days=st.integers(0, 999),
    seconds=st.integers(0, 10**7),
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    datetime(1978, 7, 7),  # noqa: DTZ001
    datetime(2099, 12, 30),  # noqa: DTZ001
    timezones=OFFSETS | st.just(UTC),
)

ATTRIBUTES = st.dictionaries(
    NAMES.map("x-{}".format) | NAMES.map("{{urn:example:other}}{}".format), WORDS, max_size=2
)
FRAGMENTS = st.recursive(
    st.builds(
        Fragment, NAMES.map("{{urn:quoalise:0}}x-{}".format), ATTRIBUTES, st.just("") | WORDS
    ),
    lambda children: st.builds(
        Fragment,
        NAMES.map("{{urn:example:other}}{}".format),
        ATTRIBUTES,
        st.just("") | WORDS,
        st.lists(children, max_size=2).map(tuple),
        st.just("") | WORDS,
    ),
    max_leaves=4,
)
UNKNOWN = st.builds(
    UnknownContent, attributes=ATTRIBUTES, children=st.lists(FRAGMENTS, max_size=2).map(tuple)
)
OPTIONAL_WORDS = st.none() | WORDS
METADATA = st.builds(
    Metadata,
    device=st.none()
    | st.builds(
        MeasuringDevice,
        type=OPTIONAL_WORDS,
        identifier=st.none()
        | st.builds(
            DeviceIdentifier,
            authority=OPTIONAL_WORDS,
            type=OPTIONAL_WORDS,
            value=OPTIONAL_WORDS,
            unknown=UNKNOWN,
        ),
        unknown=UNKNOWN,
    ),
    measurement=st.none()
    | st.builds(
        Measurement,
        name=OPTIONAL_WORDS,
        direction=OPTIONAL_WORDS,
        quantity=OPTIONAL_WORDS,
        type=OPTIONAL_WORDS,
        unit=OPTIONAL_WORDS,
        aggregation=OPTIONAL_WORDS,
        sampling_interval=st.none() | DURATIONS,
        unknown=UNKNOWN,
    ),
    unknown=UNKNOWN,
)
DATA = st.builds(
    Data,
    METADATA,
    st.lists(RECORDS, max_size=4, unique_by=lambda records: (records.name, records.unit)).map(
        lambda records: tuple(sorted(records, key=lambda records: records.unit is not None))
    ),
)

DEVICES = st.one_of(
    st.from_regex(r"\d{14}", fullmatch=True, alphabet="0123456789").map("prm:{}".format),
    st.from_regex(r"([0-9a-f]{2}){6,8}", fullmatch=True).map("mac:{}".format),
    st.builds("org:60060-{}".format, NAMES),
    st.builds("org:60060-{}:{}".format, NAMES, NAMES),
    st.builds("os:32473-{}".format, NAMES),
    st.builds("ops:32473-box-{}".format, NAMES),
    st.builds("example:{}".format, NAMES),
).map(lambda body: device(f"urn:dev:{body}"))
IDENTIFIERS = st.builds(
    Identifier,
    DEVICES,
    st.lists(NAMES, max_size=5).map("/".join),
)
PRICES = st.decimals(0, 999, places=3)
PERCENTS = st.decimals(-100, 10_000, places=1)
CHALLENGES = st.builds(
    Challenge,
    name_fr=WORDS,
    name_en=WORDS,
    first_day=st.dates(date(2020, 1, 1), date(2090, 1, 1)),
    last_day=st.dates(date(2020, 1, 1), date(2090, 1, 1)),
    objective=st.integers(1, 50),
    participant=WORDS,
    participants=st.integers(2, 20),
    standing=st.none()
    | st.builds(
        Change,
        change=PERCENTS,
        low=PERCENTS,
        high=PERCENTS,
        rank_first=st.integers(1, 20),
        rank_last=st.integers(1, 20),
    ),
)
LISTED = st.builds(
    Listed,
    series=IDENTIFIERS,
    interval=st.none() | DURATIONS,
    unit=OPTIONAL_WORDS,
    first=st.none() | MOMENTS,
    last=st.none() | MOMENTS,
    device=OPTIONAL_WORDS,
    shares=st.none()
    | st.builds(Shares, name=WORDS, held=st.integers(0, 10**6), total=st.integers(1, 10**6)),
    prices=st.none() | st.builds(Prices, local=PRICES, grid=PRICES),
    challenge=st.none() | CHALLENGES,
)

TEXTS = st.dictionaries(st.sampled_from(["en", "fr", "br"]), WORDS, min_size=1)
WITNESSES = st.builds(
    Witness,
    jid=NAMES.map("{}@example.org".format),
    name=WORDS,
    contact=WORDS,
    url=NAMES.map("https://{}.example".format),
    minimum=st.integers(3, 1_000),
)
DATA_NEEDS = st.builds(
    lambda witness, **fields: DataNeed(
        witness=witness,
        reading=Reading.INDIVIDUAL if witness is None else Reading.SUM,
        **fields,
    ),
    st.none() | WITNESSES,
    id=NAMES,
    version=st.integers(1, 99),
    title=TEXTS,
    purpose=TEXTS,
    controller=WORDS,
    contact=WORDS,
    policy=NAMES.map("https://example.org/{}".format),
    series=st.lists(
        st.builds(DataNeedSeries, st.sampled_from(Direction), st.sampled_from(Quantity)),
        min_size=1,
        max_size=5,
    ).map(tuple),
    interval=DURATIONS,
    history=DURATIONS,
    duration=DURATIONS,
    retention=DURATIONS,
    identification=st.sampled_from(Identification),
    recipients=TEXTS | st.just({}),
)
PERMISSIONS = st.builds(
    lambda times, powers, **fields: Permission(
        valid_from=times[0],
        valid_until=times[1],
        subscribed_kva=dict(zip(fields["series"], powers, strict=False)),
        **fields,
    ),
    st.lists(MOMENTS, min_size=2, max_size=2).map(sorted),
    st.lists(st.sampled_from(SUBSCRIBED_KVA), max_size=3),
    id=st.uuids().map(str),
    need=NAMES,
    version=st.integers(1, 99),
    series=st.lists(IDENTIFIERS, min_size=1, max_size=3).map(tuple),
    interval=DURATIONS,
    records_from=MOMENTS,
    shown_sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    shown_language=st.sampled_from(["en", "fr"]),
    identification=st.sampled_from(Identification),
    reading=st.sampled_from(Reading),
)
HOURS = st.integers(75_000, 1_139_000).map(
    lambda hours: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
NONCES = st.binary(min_size=16, max_size=16)
PSEUDONYMS = st.uuids().map(str)
GROUPS = st.integers(0, 10**6).map(str)
MASKED = st.binary(min_size=656, max_size=656)
VERIFIERS = st.binary(min_size=32, max_size=32)
ELEMENTS = st.integers(0, 2**64 - 1)
REPORTS = st.builds(
    Reports,
    permission=PSEUDONYMS,
    direction=st.sampled_from(Direction),
    day=DAYS,
    reports=st.lists(
        st.builds(MaskedReport, HOURS, NONCES, MASKED),
        min_size=1,
        max_size=5,
        unique_by=lambda report: report.hour,
    ).map(lambda reports: tuple(sorted(reports))),
)
PARTS = {"id": PSEUDONYMS, "part": st.integers(1, 5), "parts": st.integers(5, 9)}
VERIFICATIONS = st.builds(
    VerificationRequest,
    verification_key=VERIFIERS,
    direction=st.sampled_from(Direction),
    hour=HOURS,
    groups=st.lists(
        st.builds(
            Group,
            GROUPS,
            st.lists(
                st.builds(Part, PSEUDONYMS, DAYS, NONCES, VERIFIERS), min_size=1, max_size=3
            ).map(tuple),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    **PARTS,
)
VERIFIED = st.builds(
    Verified,
    refused=st.lists(
        st.builds(RefusedHomes, st.sampled_from(Refusal), st.frozensets(PSEUDONYMS, max_size=3)),
        max_size=3,
    ).map(tuple),
    **PARTS,
)
OPENINGS = st.builds(
    Opening,
    sums=st.lists(st.builds(MaskedSum, GROUPS, ELEMENTS, ELEMENTS), min_size=1, max_size=4).map(
        tuple
    ),
    **PARTS,
)
ANSWERED_GROUPS = st.frozensets(GROUPS, min_size=1, max_size=4)
OPENED = st.builds(
    lambda opened, refused, **fields: Opened(answers=(*opened, *refused), **fields),
    st.lists(
        st.builds(OpenedSum, ANSWERED_GROUPS, st.integers(1, 10**6), st.integers(0, 10**9)),
        max_size=3,
    ),
    st.lists(st.builds(RefusedSum, ANSWERED_GROUPS, st.sampled_from(Refusal)), max_size=3),
    **PARTS,
)
RECEIVED = [State.GRANTED, State.WITHDRAWN, State.TERMINATED, State.EXPIRED]
RECEIPTS = st.builds(
    Receipt,
    permission=st.uuids().map(str),
    state=st.sampled_from(RECEIVED),
    time=MOMENTS,
    erased=st.lists(
        st.builds(Erased, st.none() | IDENTIFIERS, st.integers(0, 10**9)), max_size=3
    ).map(tuple),
)
EXPORTS = st.builds(
    ExportPart,
    id=st.uuids().map(str),
    time=MOMENTS,
    size=st.integers(1, 10**9),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    part=st.integers(1, 2_000),
    parts=st.integers(1, 2_000),
    content=st.binary(min_size=1, max_size=500),
)
REQUESTS: st.SearchStrategy[requests.Request] = st.one_of(
    st.lists(MOMENTS, min_size=2, max_size=2)
    .map(sorted)
    .flatmap(
        lambda times: st.builds(
            requests.GetHistory,
            IDENTIFIERS,
            st.sampled_from([None, times[0]]),
            st.sampled_from([None, times[1]]),
        )
    ),
    st.builds(requests.Subscribe, IDENTIFIERS),
    st.builds(requests.Unsubscribe, IDENTIFIERS),
    st.just(requests.ListSeries()),
    st.builds(requests.GetDataNeeds, st.none() | st.just("c2f8-jeton")),
    st.builds(requests.Grant, PERMISSIONS),
    st.builds(requests.Withdraw, st.uuids().map(str), st.booleans()),
    st.builds(requests.Terminate, st.uuids().map(str)),
    st.builds(requests.GetExport, st.integers(1, 10**9)),
)
COMMANDS = [
    (
        REQUESTS
        | st.builds(requests.VerifyReports, VERIFICATIONS)
        | st.builds(requests.OpenSums, OPENINGS),
        requests.read,
        requests.write,
    ),
    (st.lists(LISTED, max_size=3).map(tuple), answers.read_listed, answers.listed),
]
type Codec = tuple[st.SearchStrategy[Any], Callable[[Element], Any], Callable[[Any], Element]]
CODECS: dict[str, Codec] = {
    data.QUOALISE: (DATA, data.read, data.write),
    permissions_xml.DATA_NEEDS: (
        st.lists(DATA_NEEDS, max_size=3).map(tuple),
        permissions_xml.read_data_needs,
        permissions_xml.write_data_needs,
    ),
    permissions_xml.PERMISSION: (
        PERMISSIONS,
        permissions_xml.read_permission,
        permissions_xml.write_permission,
    ),
    permissions_xml.RECEIPT: (
        RECEIPTS,
        permissions_xml.read_receipt,
        permissions_xml.write_receipt,
    ),
    permissions_xml.EXPORT: (EXPORTS, permissions_xml.read_export, permissions_xml.write_export),
    protected_sums.REPORTS: (REPORTS, protected_sums.read_reports, protected_sums.write_reports),
    protected_sums.VERIFICATION: (
        VERIFICATIONS,
        protected_sums.read_verification,
        protected_sums.write_verification,
    ),
    protected_sums.VERIFIED: (
        VERIFIED,
        protected_sums.read_verified,
        protected_sums.write_verified,
    ),
    protected_sums.OPENING: (OPENINGS, protected_sums.read_opening, protected_sums.write_opening),
    protected_sums.OPENED: (OPENED, protected_sums.read_opened, protected_sums.write_opened),
}
"""Values of each element, and how it is read and written."""

type Edit = Callable[[Element], object]


def edited(tag: str, value: object, edit: Edit) -> object:
    """Write an element, edit it and read it."""
    _, read, write = CODECS[tag]
    sent = write(value)
    edit(sent)
    return read(sent)


PERMISSION = Permission(
    id="2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d",
    need="daily-display",
    version=2,
    series=(
        identifier("urn:dev:org:60060-abcdefghijklmnopqrstuvwxyz_consumption/power/active/raw"),
    ),
    interval=Duration(seconds=3600),
    records_from=datetime(2025, 11, 24, 18, 30, tzinfo=UTC),
    valid_from=datetime(2026, 11, 24, 18, 30, tzinfo=UTC),
    valid_until=datetime(2028, 11, 24, 18, 30, tzinfo=UTC),
    shown_sha256="0123456789abcdef" * 4,
    shown_language="fr",
)
NO_DEVICE = Device("example", "none")

NEED = DataNeed(
    id="daily-display",
    version=1,
    title={"fr": "Affichage"},
    purpose={"fr": "Montrer la courbe de la commune"},
    controller="Kersabiec",
    contact="contact@kersabiec.example",
    policy="https://kersabiec.example/donnees",
    series=(DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER),),
    interval=Duration(seconds=3600),
    history=Duration(years=1),
    duration=Duration(years=1),
    retention=Duration(years=1),
)
