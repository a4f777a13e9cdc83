"""The open data, described as OpenAPI 3.1 has it."""

from aiohttp import web

from ...collective.disclosure import Reason
from ...collective.groups import GroupKind
from .desk import Desk, Guest, tagged
from .headers import allow_reading
from .opendata import KEEP, MOST_DAYS, Json, Quantity, dumped, intervals
from .words import LICENCE, LICENCE_ID, LICENCE_URL

_DAY: Json = {"type": "string", "format": "date", "pattern": r"^20\d\d-[01]\d-[0-3]\d$"}
_SLUG: Json = {"type": "string", "pattern": "^[a-z0-9-]{1,200}$"}
_INSTANT: Json = {"type": "string", "format": "date-time"}


async def document(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Give the document."""
    async with desk.store.reading() as connection:
        groups = list(await desk.published.places(connection))
        known = intervals(await desk.published.steps(connection))
    body = dumped(described(desk, groups, known))
    response = tagged(body, "application/json", {"Cache-Control": KEEP})
    allow_reading(response)
    return response


def described(desk: Desk, groups: list[str], known: list[str]) -> Json:
    """Describe what may be asked of this collective."""
    name = desk.settings.name
    path = "/{quantity}/by/{group}/{interval}/from/{first}/to/{last}"
    asked: list[Json] = [
        _parameter("quantity", {"type": "string", "enum": list(Quantity)}),
        _parameter("group", {"type": "string", "enum": groups or ["all"]}, "all"),
        _parameter("interval", {"type": "string", "enum": known}),
        _parameter("first", _DAY, "2026-01-01", "The first civil day."),
        _parameter("last", _DAY, "2026-01-31", "The last civil day, included."),
    ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{name} – open data",
            "version": "1",
            "summary": "Energy of all members together, of communes and of public buildings.",
            "description": (
                "Every figure sums so many members that nobody’s own can be told, or is withheld"
                " with the reason. A figure that was published never changes, and a day, a month or"
                " a year is the sum of its published hours. Days are civil days of the collective’s"
                " time zone. Intervals at which sums were published once keep their addresses. Ask"
                " for"
                f" {MOST_DAYS[True]} days at most of what is finer than a day, and"
                f" {MOST_DAYS[False]} days at most of the rest."
            ),
            "license": {"name": LICENCE, "identifier": LICENCE_ID},
        },
        "externalDocs": {"description": LICENCE, "url": LICENCE_URL},
        "servers": [{"url": "."}],
        "paths": {
            "/groups.json": {
                "get": {
                    "operationId": "groups",
                    "summary": "The groups of which figures may be asked",
                    "responses": _responses("Groups", "application/json"),
                }
            },
            path: _operation("series", "Values, as JSON", asked, "application/json"),
            f"{path}.csv": _operation("series_csv", "Values, as CSV", asked, "text/csv"),
        },
        "components": {"schemas": _schemas(known)},
    }


def _operation(name: str, summary: str, asked: list[Json], kind: str) -> Json:
    return {
        "parameters": asked,
        "get": {
            "operationId": name,
            "summary": summary,
            "responses": _responses("Series", kind, asks=True),
        },
    }


def _parameter(name: str, schema: Json, example: str = "", description: str = "") -> Json:
    told: dict[str, Json] = {"name": name, "in": "path", "required": True, "schema": schema}
    if example:
        told["example"] = example
    if description:
        told["description"] = description
    return told


def _responses(schema: str, kind: str, *, asks: bool = False) -> Json:
    body: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    if kind == "text/csv":
        body = {"schema": {"type": "string"}}
    found: dict[str, Json] = {
        "200": {
            "description": "What is known",
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": {kind: body},
        },
        "304": {"description": "It is what you have"},
        "429": _problem("Too many requests: Retry-After says how many seconds to wait")
        | {"headers": {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}},
    }
    if asks:
        found |= {
            "400": _problem("A day that is none, or a range that is too long"),
            "404": _problem("There is no such quantity, group or interval"),
        }
    return found


def _problem(description: str) -> dict[str, Json]:
    schema: Json = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _count(description: str) -> Json:
    return {"type": "integer", "minimum": 0, "description": description}


def _hours(description: str) -> Json:
    return {"type": "number", "minimum": 0, "description": description}


def _object(properties: dict[str, Json], *optional: str) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _schemas(known: list[str]) -> Json:
    plain: Json = {"type": "string"}
    reasons = [reason.replace("_", "-") for reason in Reason]
    withheld = _object(
        {
            "reason": {"type": "string", "enum": reasons},
            "need": {"type": ["integer", "null"], "description": "How many homes it takes"},
            "text": _object({"en": plain, "fr": plain}),
        }
    )
    value = _object(
        {
            "start": _INSTANT,
            "end": _INSTANT,
            "value": {"type": ["number", "null"]},
            "members": _count("How many members the value sums, at most at once"),
            "members_counting": _count(
                "How many members counted then, with those whose data was missing"
            ),
            "per_member": {
                "type": "number",
                "minimum": 0,
                "description": (
                    "The average of one member, in the unit of the series. A public building counts"
                    " as one member, a collective as all of its own. Of a day, a month or a year it"
                    " is the sum of the averages of its published hours"
                ),
            },
            "hours": _hours("How many hours of it the value sums"),
            "hours_ended": _hours("How many of its hours have ended"),
            "days": _count("How many days of it the value sums, each at least in part"),
            "days_ended": _count("How many of its days have ended"),
            "lacks_homes": {
                "const": True,
                "description": (
                    "For some time of it the homes of this group are too few, or one of them makes"
                    " most of their sum: there the value is of public buildings and collectives"
                ),
            },
            "withheld": {"$ref": "#/components/schemas/Withheld"},
        },
        *("per_member", "hours", "hours_ended", "days", "days_ended", "lacks_homes", "withheld"),
    )
    series = _object(
        {
            "collective": plain,
            "quantity": {"type": "string", "enum": list(Quantity)},
            "group": _SLUG,
            "interval": {"type": "string", "enum": known},
            "from": _DAY,
            "to": _DAY,
            "time_zone": plain,
            "unit": {"type": "string", "enum": sorted({one.unit for one in Quantity})},
            "licence": plain,
            "attribution": plain,
            "values": {"type": "array", "items": {"$ref": "#/components/schemas/Value"}},
        }
    )
    group = _object(
        {
            "id": _SLUG,
            "kind": {"type": "string", "enum": list(GroupKind)},
            "name": plain,
            "together": {
                "type": "array",
                "items": _SLUG,
                "description": "The groups in which this one is published with others",
            },
        }
    )
    maybe_day: dict[str, Json] = {"type": ["string", "null"], "format": "date"}
    interval = _object(
        {
            "id": {"type": "string", "enum": known},
            "from": maybe_day | {"description": "The first day, null before there is one"},
            "to": maybe_day | {"description": "The last day, null where it goes on"},
        }
    )
    return {
        "Series": series,
        "Value": value,
        "Withheld": withheld,
        "Groups": _object(
            {
                "collective": plain,
                "licence": plain,
                "intervals": {"type": "array", "items": interval},
                "groups": {"type": "array", "items": group},
            }
        ),
        "Problem": _object(
            {
                "status": {"type": "integer"},
                "title": plain,
                "title_fr": plain,
                "detail": plain,
                "detail_fr": plain,
            },
            *("detail", "detail_fr"),
        ),
    }
