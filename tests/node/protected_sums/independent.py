"""The scheme of docs/protected-sums.md a second time, by other means, from the page alone.

Polynomials stand by their coefficients here, and hashes are of another library.

    .venv/bin/python -m tests.node.protected_sums.independent

prints the test vectors, as `vectors.json` has them.
"""

from datetime import UTC, date, datetime, timedelta
import json
from typing import Any

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


def subject(about: tuple[str, str], hour: datetime) -> bytes:
    names = [name.encode() for name in ("consometers report 1", *about)]
    sized = b"".join(len(name).to_bytes(2, "big") + name for name in names)
    return sized + number((hour - EPOCH) / timedelta(hours=1))


def nonce_of(secret: bytes, day: date, about: tuple[str, str], hour: datetime, wh: int) -> bytes:
    code = HMAC(secret, SHA256())
    code.update(number((day - EPOCH.date()).days) + subject(about, hour) + number(wh))
    return code.finalize()[:16]


def expanded(seed: bytes, domain: str, binder: bytes, count: int) -> list[int]:
    """Return elements of the field. Of 8 more numbers than needed, enough are elements."""
    stream = Hash(SHAKE128(8 * (count + 8)))
    stream.update(len(domain).to_bytes(2, "little") + domain.encode())
    stream.update(bytes([len(seed)]) + seed + binder)
    numbers = stream.finalize()
    drawn = (int.from_bytes(numbers[at : at + 8], "little") for at in range(0, len(numbers), 8))
    return [element for element in drawn if element < P][:count]


def root(order: int) -> int:
    return pow(7, (P - 1) // order, P)


def polynomial(values: list[int]) -> list[int]:
    """Return the coefficients of what has these values at the roots of unity."""
    order = len(values)
    return [
        sum(value * pow(root(order), -power * place, P) for place, value in enumerate(values))
        * pow(order, -1, P)
        % P
        for power in range(order)
    ]


def evaluated(coefficients: list[int], at: int) -> int:
    return sum(each * pow(at, power, P) for power, each in enumerate(coefficients)) % P


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
    points = [pow(root(GADGET), power, P) for power in range(GADGET - 1)]
    return [*seeds, *(evaluated(product, point) for point in points)]


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
    binder = direction.encode() + number((hour - EPOCH) / timedelta(hours=1))
    *factors, point = expanded(key, "consometers query", binder, CALLS + 1)
    assert pow(point, WIRE, P) != 1
    bits, square, seeds, values = share[:16], share[16], share[17:19], share[19:]
    # What has 63 values and a degree of at most 62 has no 63rd power.
    step = root(GADGET)
    last = sum(value * pow(step, place, P) for place, value in enumerate(values))
    values = [*values, -last * pow(step, -(GADGET - 1), P) % P]
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


def written(elements: list[int]) -> str:
    return b"".join(element.to_bytes(8, "little") for element in elements).hex()


def vectors() -> list[dict[str, Any]]:
    """Return reports that an implementation has to make alike; bytes are in hexadecimal."""
    first = bytes(range(32))
    rows = []
    for number, (direction, wh, days) in enumerate(
        [("consumption", 0, 0), ("consumption", 412, 0), ("injection", 36_000, 1),
         ("consumption", 1, 34)]
    ):  # fmt: skip
        enrolled = date(2026, 11, 1)
        hour = datetime(2026, 11, 1, number, tzinfo=UTC)
        day = enrolled + timedelta(days=days)
        nonce = nonce_of(bytes(range(32, 64)), day, ("energies.example", direction), hour, wh)
        key = key_of(first, days)
        about = "energies.example", direction
        reported = report(key, about, hour, nonce, wh, secret=bytes(range(32, 64)))
        verification_key = bytes(range(64, 96))
        verifiers = [
            verifier(verification_key, direction, hour, share)
            for share in (reported, masks(key, about, hour, nonce))
        ]
        assert is_valid(*verifiers)
        rows.append({
            "first_key": first.hex(),
            "enrolled": enrolled.isoformat(),
            "authentication_key": derived(first, "authentication").hex(),
            "collective": "energies.example",
            "direction": direction,
            "hour": hour.isoformat(),
            "day": day.isoformat(),
            "key": key.hex(),
            "nonce_secret": bytes(range(32, 64)).hex(),
            "nonce": nonce.hex(),
            "wh": wh,
            "masked": written(reported),
            "verification_key": verification_key.hex(),
            "verifier_of_collective": written(verifiers[0]),
            "verifier_of_witness": written(verifiers[1]),
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2))
