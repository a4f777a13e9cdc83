"""A second implementation of home, collective and witness, as the specification has them.

The page is docs/protected-sums-specification.md. This module imports nothing of ours.
Polynomials stand by their coefficients here, hashes are of another library, and messages are read
by their bytes.

    .venv/bin/python -m packages.protected_sums.tests.independent

prints the test vectors, as `vectors.json` has them.
"""

from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
import json
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.hashes import SHA256, SHAKE128, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
P = 2**64 - 2**32 + 1
MOST_WH = 36_000
BITS, CALLS, WIRE, GADGET = 16, 17, 32, 64
WEIGHTS = [*(2**bit for bit in range(15)), MOST_WH - 2**15 + 1]
KEPT = timedelta(days=35)
"""How long a witness keeps a key."""
WAITED = timedelta(days=34)
"""How long an hour waits for its witness."""


def derived(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


def key_of(first: bytes, days: int) -> bytes:
    for _ in range(days):
        first = derived(first, "next")
    return first


def number(value: float) -> bytes:
    return int(value).to_bytes(8, "big", signed=True)


def hours_of(hour: datetime) -> float:
    return (hour - EPOCH) / timedelta(hours=1)


def hmac_of(key: bytes, message: bytes) -> bytes:
    code = HMAC(key, SHA256())
    code.update(message)
    return code.finalize()


def subject(about: tuple[str, str], hour: datetime) -> bytes:
    names = [name.encode() for name in ("consometers report 1", *about)]
    sized = b"".join(len(name).to_bytes(2, "big") + name for name in names)
    return sized + number(hours_of(hour))


def nonce_of(secret: bytes, day: date, about: tuple[str, str], hour: datetime, wh: int) -> bytes:
    of_day = number((day - EPOCH.date()).days)
    return hmac_of(secret, of_day + subject(about, hour) + number(wh))[:16]


def expanded(seed: bytes, domain: str, binder: bytes, count: int) -> list[int]:
    """Return elements of the field. Of 8 more numbers than needed, enough are elements."""
    stream = Hash(SHAKE128(8 * (count + 8)))
    stream.update(len(domain).to_bytes(2, "little") + domain.encode())
    stream.update(bytes([len(seed)]) + seed + binder)
    numbers = stream.finalize()
    drawn = (int.from_bytes(numbers[at : at + 8], "little") for at in range(0, len(numbers), 8))
    return [element for element in drawn if element < P][:count]


@cache
def roots(order: int) -> list[int]:
    root = pow(7, (P - 1) // order, P)
    return [pow(root, power, P) for power in range(order)]


def polynomial(values: list[int]) -> list[int]:
    """Return the coefficients of what has these values at the roots of unity."""
    order, powers = len(values), roots(len(values))
    return [
        sum(value * powers[-power * place % order] for place, value in enumerate(values))
        * pow(order, -1, P)
        % P
        for power in range(order)
    ]


def evaluated(coefficients: list[int], at: int) -> int:
    total = 0
    for each in reversed(coefficients):
        total = (total * at + each) % P
    return total


def wire(seed: int, bits: list[int]) -> list[int]:
    value = sum(weight * bit for weight, bit in zip(WEIGHTS, bits, strict=True))
    return polynomial([seed, *bits, value % P, *[0] * (WIRE - CALLS - 1)])


def measured(wh: int) -> list[int]:
    last = int(wh > 2**15 - 1)
    rest = wh - last * WEIGHTS[-1]
    return [*(rest >> bit & 1 for bit in range(15)), last, wh**2]


def proof(bits: list[int], seeds: list[int]) -> list[int]:
    left, right = (wire(seed, bits) for seed in seeds)
    product = [0] * (2 * WIRE - 1)
    for n, a in enumerate(left):
        for m, b in enumerate(right):
            product[n + m] += a * b
    return [*seeds, *(evaluated(product, point) for point in roots(GADGET)[:-1])]


def masks(key: bytes, about: tuple[str, str], hour: datetime, nonce: bytes) -> list[int]:
    return expanded(key, "consometers masks", subject(about, hour) + nonce, 82)


def report(
    key: bytes, about: tuple[str, str], hour: datetime, nonce: bytes, wh: int, *, secret: bytes
) -> list[int]:
    elements = measured(wh)
    elements += proof(elements[:BITS], expanded(secret, "consometers wire seeds", nonce, 2))
    masked = zip(elements, masks(key, about, hour, nonce), strict=True)
    return [(element - mask) % P for element, mask in masked]


def verifier(key: bytes, direction: str, hour: datetime, share: list[int]) -> list[int]:
    binder = direction.encode() + number(hours_of(hour))
    *factors, point = expanded(key, "consometers query", binder, CALLS + 1)
    assert pow(point, WIRE, P) != 1
    bits, square, seeds, values = share[:16], share[16], share[17:19], share[19:]
    # What has 63 values and a degree of at most 62 has no 63rd power.
    powers = roots(GADGET)
    last = sum(value * power for value, power in zip(values, powers, strict=False))
    values = [*values, -last * pow(powers[-1], -1, P) % P]
    results = (values[2 * call] for call in range(1, CALLS + 1))
    equal = zip(factors, results, [*bits, square], strict=True)
    return [
        sum(factor * (result - wanted) for factor, result, wanted in equal) % P,
        *(evaluated(wire(seed, bits), point) for seed in seeds),
        evaluated(polynomial(values), point),
    ]


def is_valid(first: list[int], second: list[int]) -> bool:
    validity, left, right, product = ((a + b) % P for a, b in zip(first, second, strict=True))
    return validity == 0 and left * right % P == product


def outputs(share: list[int]) -> tuple[int, int]:
    return sum(weight * bit for weight, bit in zip(WEIGHTS, share, strict=False)) % P, share[BITS]


def encoded(elements: Sequence[int]) -> bytes:
    return b"".join(element.to_bytes(8, "little") for element in elements)


def elements_of(raw: bytes) -> list[int]:
    """Return the elements that bytes encode. Raises ValueError where one is none."""
    elements = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
    if any(element >= P for element in elements):
        raise ValueError("no element")
    return elements


NAMESPACE = "urn:consometers:federation:0"


def tagged(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def reports_element(
    permission: str, direction: str, day: date, rows: Sequence[tuple[datetime, bytes, bytes]]
) -> ET.Element:
    attributes = {"permission": permission, "direction": direction, "day": day.isoformat()}
    element = ET.Element(tagged("reports"), attributes)
    packed = (
        int(hours_of(hour)).to_bytes(4, "big") + nonce + masked for hour, nonce, masked in rows
    )
    element.text = b64encode(b"".join(packed)).decode()
    return element


@dataclass(frozen=True)
class Row:
    """A report of a group, as a collective names it to its witness."""

    pseudonym: str
    day: date
    nonce: bytes
    verifier: bytes


@dataclass
class Group:
    rows: list[Row] = field(default_factory=list)
    masked: int = 0
    squares: int = 0


@dataclass(frozen=True)
class Asked:
    """What a collective asks of an hour: to verify the rows of groups, then to open their sums."""

    direction: str
    hour: datetime
    key: bytes
    groups: Mapping[str, Group]


def read_asked(verification: Sequence[ET.Element], opening: Sequence[ET.Element] = ()) -> Asked:
    """Read the parts of a verification, and those of the opening that follows it, if one does."""
    groups: dict[str, Group] = {}
    for part in verification:
        for homes in part.iter(tagged("homes")):
            group = groups.setdefault(homes.attrib["group"], Group())
            raw = b64decode(homes.text or "")
            group.rows += (
                Row(
                    str(UUID(bytes=raw[at : at + 16])),
                    EPOCH.date() + timedelta(int.from_bytes(raw[at + 16 : at + 18], "big")),
                    raw[at + 18 : at + 34],
                    raw[at + 34 : at + 66],
                )
                for at in range(0, len(raw), 66)
            )
    head = verification[0].attrib
    for part in opening:
        assert part.attrib["id"] == head["id"]
        for sent in part.iter(tagged("sum")):
            groups[sent.attrib["group"]].masked = int(sent.attrib["masked"], 16)
            groups[sent.attrib["group"]].squares = int(sent.attrib["masked-squares"], 16)
    hour = datetime.fromisoformat(head["hour"])
    return Asked(head["direction"], hour, bytes.fromhex(head["verification-key"]), groups)


def asked_elements(asked: Asked, id: str) -> tuple[ET.Element, ET.Element]:
    """Return a verification and its opening, each in a single part."""
    part = {"id": id, "part": "1", "parts": "1"}
    attributes = {
        "direction": asked.direction,
        "hour": asked.hour.isoformat(),
        "verification-key": asked.key.hex(),
    }
    verification = ET.Element(tagged("verification"), part | attributes)
    opening = ET.Element(tagged("opening"), part)
    for name, group in asked.groups.items():
        packed = (
            UUID(row.pseudonym).bytes
            + (row.day - EPOCH.date()).days.to_bytes(2, "big")
            + row.nonce
            + row.verifier
            for row in group.rows
        )
        text = b64encode(b"".join(packed)).decode()
        ET.SubElement(verification, tagged("homes"), {"group": name}).text = text
        sums = {"masked": f"{group.masked:016x}", "masked-squares": f"{group.squares:016x}"}
        ET.SubElement(opening, tagged("sum"), {"group": name} | sums)
    return verification, opening


@dataclass(frozen=True)
class Enrolled:
    """What a witness has of a home: the key of a day, the promise, and its directions."""

    day: date
    key: bytes
    minimum: int
    directions: Collection[str]


@dataclass(frozen=True)
class Sum:
    groups: frozenset[str]
    homes: int
    wh: int


@dataclass(frozen=True)
class Refused:
    """A sum that stays closed."""

    groups: frozenset[str]
    reason: str


@dataclass(frozen=True)
class AtFault:
    """Homes for which a verification does not pass."""

    reason: str
    pseudonyms: frozenset[str]


def verified(
    asked: Asked,
    collective: str,
    homes: Mapping[str, Enrolled],
    today: date,
    *,
    marked: Collection[str],
    before: Mapping[str, tuple[Row, bytes]],
) -> set[AtFault]:
    """Verify as a witness. `before` has what reports were verified with before, and by what."""
    at_fault: dict[str, set[str]] = {}
    seen: set[str] = set()
    for group in asked.groups.values():
        for row in group.rows:
            home = homes.get(row.pseudonym)
            if home is None or asked.direction not in home.directions:
                at_fault.setdefault("not-enrolled", set()).add(row.pseudonym)
            elif row.pseudonym in seen:
                at_fault.setdefault("repeated", set()).add(row.pseudonym)
            elif len(group.rows) < home.minimum:
                at_fault.setdefault("too-few", set()).add(row.pseudonym)
            elif not max(today - KEPT, home.day) <= row.day <= today:
                at_fault.setdefault("key-forgotten", set()).add(row.pseudonym)
            seen.add(row.pseudonym)
    if again := seen.intersection(marked):
        at_fault["opened-before"] = again
    if at_fault:
        return {AtFault(why, frozenset(some)) for why, some in at_fault.items()}
    invalid: set[str] = set()
    for group in asked.groups.values():
        for row in group.rows:
            mine = masks_of(row, asked, collective, homes)
            mine = verifier(asked.key, asked.direction, asked.hour, mine)
            is_another = before.get(row.pseudonym, (row, asked.key)) != (row, asked.key)
            if is_another or not is_valid(elements_of(row.verifier), mine):
                invalid.add(row.pseudonym)
    return {AtFault("invalid", frozenset(invalid))} if invalid else set()


def masks_of(row: Row, asked: Asked, collective: str, homes: Mapping[str, Enrolled]) -> list[int]:
    home = homes[row.pseudonym]
    key = key_of(home.key, (row.day - home.day).days)
    return masks(key, (collective, asked.direction), asked.hour, row.nonce)


def opened(
    asked: Asked, collective: str, homes: Mapping[str, Enrolled], secret: bytes
) -> set[Sum | Refused]:
    """Open as a witness what passed its verification."""
    totals: dict[frozenset[str], tuple[int, int, int]] = {}
    for name, group in asked.groups.items():
        wh, squares = group.masked, group.squares
        for row in group.rows:
            value, square = outputs(masks_of(row, asked, collective, homes))
            wh, squares = wh + value, squares + square
        totals[frozenset({name})] = len(group.rows), wh % P, squares % P
    most = bound(secret, collective, asked.direction, asked.hour)
    absurd = {names for names, (count, wh, _) in totals.items() if wh > count * MOST_WH}
    left = {names: total for names, total in totals.items() if names not in absurd}

    def dominated(total: tuple[int, ...]) -> bool:
        return 10_000 * total[2] > most * total[1] ** 2

    pool = [names for names, total in left.items() if dominated(total)]
    passing = [names for names in left if names not in pool]
    together = tuple(sum(left[names][place] for names in pool) for place in range(3))
    for names in sorted(passing, key=lambda names: (left[names][0], *names)):
        if not dominated(together):
            break
        pool.append(names)
        passing.remove(names)
        together = tuple(a + b for a, b in zip(together, left[names], strict=True))
    answers: set[Sum | Refused] = {Refused(names, "implausible") for names in absurd}
    answers |= {Sum(names, *left[names][:2]) for names in passing}
    if pool:
        union = frozenset[str]().union(*pool)
        answers.add(
            Refused(union, "dominance") if dominated(together) else Sum(union, *together[:2])
        )
    return answers


def bound(secret: bytes, collective: str, direction: str, hour: datetime) -> int:
    """Return the bound of dominance, in hundredths of a percent."""

    def drawn(kind: str, when: str) -> int:
        code = hmac_of(secret, json.dumps([kind, when, collective, direction]).encode())
        return int.from_bytes(code[:8], "big") % 201

    day = hour.date().isoformat()
    return 3_700 + drawn("month", day[:7]) + drawn("day", day)


def verified_element(id: str, part: int, at_fault: Collection[AtFault]) -> ET.Element:
    element = ET.Element(tagged("verified"), {"id": id, "part": str(part), "parts": str(part)})
    for each in at_fault:
        named = sorted(UUID(home).bytes for home in each.pseudonyms)
        refused = ET.SubElement(element, tagged("refused"), {"reason": each.reason})
        refused.text = b64encode(b"".join(named[:2_500])).decode()
    return element


def opened_element(id: str, part: int, answers: Collection[Sum | Refused]) -> ET.Element:
    element = ET.Element(tagged("opened"), {"id": id, "part": str(part), "parts": str(part)})
    for answer in answers:
        attributes = {"groups": " ".join(sorted(answer.groups))}
        if isinstance(answer, Sum):
            attributes |= {"homes": str(answer.homes), "wh": str(answer.wh)}
            ET.SubElement(element, tagged("sum"), attributes)
        else:
            ET.SubElement(element, tagged("refused"), attributes | {"reason": answer.reason})
    return element


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def mac(first_key: bytes, *words: str) -> str:
    """Return the MAC of a request to a witness, or of its receipt for an enrolment."""
    key = derived(first_key, "authentication")
    return base64url(hmac_of(key, "\n".join(words).encode()))


def need_sha256(need: str) -> str:
    """Return the hash of a `<data-need>`, whose children are in the order of the page."""
    digest = Hash(SHA256())
    digest.update(ET.canonicalize(need, strip_text=True).encode())
    return digest.finalize().hex()


COLLECTIVE = "collective@energies.example"
ENROLLED = date(2026, 11, 1)
FIRST_KEY, NONCE_SECRET, VERIFICATION_KEY, WITNESS_SECRET = (
    bytes(range(start, start + 32)) for start in range(0, 128, 32)
)
PERMISSION = "2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d"
AT = "2026-11-01T10:00:00+00:00"
HEAD = bytes(range(80))
"""What a witness gave to a home, which says nothing to it but its first 16 bytes."""
NEED = (
    f'<data-need xmlns="{NAMESPACE}" id="sums" version="1" interval="PT1H" history="PT0S"'
    ' duration="P730D" retention="P182D" identification="pseudonym" reading="sum">'
    '<title xml:lang="en">The sum of the commune</title>'
    '<title xml:lang="fr">La somme de la commune</title>'
    '<purpose xml:lang="fr">Montrer ce que les foyers consomment ensemble.</purpose>'
    "<controller>Coopérative d’exemple</controller><contact>donnees@example.org</contact>"
    "<policy>https://example.org/donnees</policy>"
    '<series direction="consumption" quantity="power"/>'
    '<witness jid="commune@commune.example" url="https://commune.example" minimum="10">'
    "<name>Commune d’exemple</name><contact>donnees@commune.example</contact></witness>"
    "</data-need>"
)


def vectors() -> dict[str, list[dict[str, Any]]]:
    """Return the vectors that every implementation reproduces; bytes are in hexadecimal."""
    return {"reports": reports(), "requests": requests(), "openings": openings()}


def reports() -> list[dict[str, Any]]:
    rows = []
    for number, (collective, direction, wh, days) in enumerate(
        [
            (COLLECTIVE, "consumption", 0, 0),
            (COLLECTIVE, "consumption", 412, 0),
            (COLLECTIVE, "injection", 36_000, 1),
            ("énergies@coop.example", "production", 32_767, 34),
            (COLLECTIVE, "consumption", 32_768, 35),
        ]
    ):
        hour = datetime(2026, 11, 1, number, tzinfo=UTC)
        day = ENROLLED + timedelta(days=days)
        about = collective, direction
        nonce = nonce_of(NONCE_SECRET, day, about, hour, wh)
        key = key_of(FIRST_KEY, days)
        reported = report(key, about, hour, nonce, wh, secret=NONCE_SECRET)
        verifiers = [
            verifier(VERIFICATION_KEY, direction, hour, share)
            for share in (reported, masks(key, about, hour, nonce))
        ]
        assert is_valid(*verifiers)
        rows.append(
            {
                "first_key": FIRST_KEY.hex(),
                "enrolled": ENROLLED.isoformat(),
                "authentication_key": derived(FIRST_KEY, "authentication").hex(),
                "collective": collective,
                "direction": direction,
                "hour": hour.isoformat(),
                "day": day.isoformat(),
                "key": key.hex(),
                "nonce_secret": NONCE_SECRET.hex(),
                "nonce": nonce.hex(),
                "wh": wh,
                "masked": encoded(reported).hex(),
                "verification_key": VERIFICATION_KEY.hex(),
                "verifier_of_collective": encoded(verifiers[0]).hex(),
                "verifier_of_witness": encoded(verifiers[1]).hex(),
            }
        )
    return rows


def requests() -> list[dict[str, Any]]:
    """Return what a home sends to its witness, and the receipt of its enrolment."""
    about = {"collective": COLLECTIVE, "pseudonym": PERMISSION}
    hashed = need_sha256(NEED)
    enrolment = about | {
        "need": "sums",
        "version": 1,
        "need_sha256": hashed,
        "minimum": 10,
        "directions": ["consumption"],
        "day": ENROLLED.isoformat(),
        "key": base64url(FIRST_KEY),
        "code": "BCDFG-HJKLM-PRSTX-ZBCDF",
        "heads": [],
    }
    receipt = mac(FIRST_KEY, "enrolments", COLLECTIVE, PERMISSION, hashed, AT)
    rows: list[dict[str, Any]] = [
        {
            "path": "enrolments",
            "need": NEED,
            "body": enrolment,
            "answer": {"enrolled_at": AT, "mac": receipt, "head": base64url(HEAD)},
        }
    ]
    for path in ("departures", "openings"):
        signed = mac(FIRST_KEY, path, COLLECTIVE, PERMISSION, AT)
        signed_body = about | {"at": AT, "mac": signed, "heads": [base64url(HEAD)]}
        rows.append({"path": path, "body": signed_body})
    return rows


class Town:
    """Homes that enrolled on one day, and what a collective asks of their reports of an hour."""

    def __init__(self, homes: int) -> None:
        self.today = ENROLLED + timedelta(days=40)
        self.hour = datetime(2026, 12, 10, 18, tzinfo=UTC)
        self.homes = {
            f"00000000-0000-4000-8000-{number:012x}": Enrolled(
                ENROLLED, bytes([number]) * 32, 3, ("consumption",)
            )
            for number in range(homes)
        }
        self._names = iter(self.homes)

    def row(self, wh: int, *, age: int = 0, lie: int = 0) -> tuple[Row, tuple[int, int]]:
        """Return the row of the next home, and its masked value and square."""
        name = next(self._names)
        home, day = self.homes[name], self.today - timedelta(days=age)
        key = key_of(home.key, (day - home.day).days)
        secret, about = bytes([255, *home.key[1:]]), (COLLECTIVE, "consumption")
        nonce = nonce_of(secret, day, about, self.hour, wh)
        shared = report(key, about, self.hour, nonce, wh, secret=secret)
        shared[0] = (shared[0] + lie) % P
        sent = encoded(verifier(VERIFICATION_KEY, "consumption", self.hour, shared))
        return Row(name, day, nonce, sent), outputs(shared)

    def group(self, *values: int) -> Group:
        return grouped([self.row(wh) for wh in values])


def grouped(rows: Sequence[tuple[Row, tuple[int, int]]]) -> Group:
    values, squares = zip(*(output for _, output in rows), strict=True)
    return Group([row for row, _ in rows], sum(values) % P, sum(squares) % P)


def openings() -> list[dict[str, Any]]:
    """Return requests of a collective, and the answers of its witness."""
    cases: dict[str, tuple[Town, dict[str, Group], tuple[str, ...]]] = {}
    town = Town(9)
    groups = {"0": town.group(300, 420, 380), "1": town.group(0, 0, 0)}
    groups["2"] = grouped([town.row(36_000, age=35), town.row(32_768, age=1), town.row(32_767)])
    cases["opened"] = town, groups, ()
    town = Town(13)
    lopsided, alike = town.group(2_000, 300, 300), town.group(900, 1_100, 1_000, 1_050)
    first, second = town.group(500, 600, 700), town.group(510, 610, 710)
    groups = {"7": alike, "9": first, "10": second, "8": lopsided}
    cases["dominated; of two groups of three homes, 10 is before 9"] = town, groups, ()
    town = Town(7)
    groups = {"0": town.group(9_000, 10, 10), "1": town.group(90, 80, 1, 1)}
    cases["dominated, also together"] = town, groups, ()
    town = Town(6)
    groups = {"0": town.group(300, 420, 380), "1": town.group(500, 600, 700)}
    groups["1"].masked = (groups["1"].masked + 2**40) % P
    cases["not added up"] = town, groups, ()
    town = Town(4)
    groups = {"0": grouped([town.row(300), town.row(310, lie=2), town.row(320), town.row(330)])}
    cases["invalid"] = town, groups, ()
    town = Town(8)
    names = list(town.homes)
    rows = [
        town.row(1),
        town.row(2, age=36),
        town.row(3, age=-1),
        town.row(4, lie=1),
        town.row(5),
    ]
    injecting = Enrolled(ENROLLED, bytes(32), 3, ("injection",))
    town.homes |= {names[0]: injecting}
    groups = {"0": grouped([*rows, rows[0], rows[1]]), "1": grouped([town.row(6), town.row(7)])}
    before = names[1], names[4], names[7]
    cases["at fault; two homes for two reasons"] = town, groups, before
    return [case(about, *made) for about, made in cases.items()]


def case(
    about: str, town: Town, groups: Mapping[str, Group], marked: Sequence[str]
) -> dict[str, Any]:
    asked = Asked("consumption", town.hour, VERIFICATION_KEY, groups)
    verification, opening = asked_elements(asked, "7c9e6679-7425-40de-944b-e07fc1f90ae7")
    assert read_asked([verification], [opening]) == asked
    at_fault = verified(asked, COLLECTIVE, town.homes, town.today, marked=marked, before={})
    answers = set() if at_fault else opened(asked, COLLECTIVE, town.homes, WITNESS_SECRET)
    return {
        "about": about,
        "collective": COLLECTIVE,
        "today": town.today.isoformat(),
        "secret": WITNESS_SECRET.hex(),
        "homes": [
            {
                "pseudonym": name,
                "day": home.day.isoformat(),
                "key": home.key.hex(),
                "minimum": home.minimum,
                "directions": [*home.directions],
            }
            for name, home in town.homes.items()
        ],
        "marked": [*marked],
        "verification": ET.tostring(verification, encoding="unicode"),
        "refused": sorted(map(shown, at_fault), key=json.dumps),
        "opening": None if at_fault else ET.tostring(opening, encoding="unicode"),
        "answers": sorted(map(shown, answers), key=json.dumps),
    }


def shown(answer: Sum | Refused | AtFault) -> dict[str, Any]:
    if isinstance(answer, AtFault):
        return {"reason": answer.reason, "pseudonyms": sorted(answer.pseudonyms)}
    groups = sorted(answer.groups)
    if isinstance(answer, Sum):
        return {"groups": groups, "homes": answer.homes, "wh": answer.wh}
    return {"groups": groups, "reason": answer.reason}


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2, ensure_ascii=False))
