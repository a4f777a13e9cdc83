"""This node as a witness: the API for homes, and the page about its collectives."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
import json

from aiohttp import web

from ...collective.errors import CollectiveFault
from ...collective.monitoring.metrics import REFUSALS
from ...collective.witness.register import NotEnrolled, OtherEnrolment, overview, restored_at
from ...collective.witness.service import NotWitnessed, WitnessService
from ...protected_sums.requests import (
    MAX_BODY_BYTES,
    BadBody,
    Call,
    EnrolmentRequest,
    SignedRequest,
)
from ...quoalise.decoding import Undecodable, decoded
from ...quoalise.text import text
from ..core.access import Handler
from .handlers import Guest, PublicPages, problem

_NOT_JSON = text("The body is not JSON in UTF-8.")
_TITLES = {
    HTTPStatus.BAD_REQUEST: text("The request cannot be read."),
    HTTPStatus.FORBIDDEN: text("This node is no witness for that collective."),
    HTTPStatus.NOT_FOUND: text("No such home is enrolled."),
    HTTPStatus.CONFLICT: text("This pseudonym is taken."),
}
_STATUSES: Mapping[type[CollectiveFault], HTTPStatus] = {
    NotWitnessed: HTTPStatus.FORBIDDEN,
    NotEnrolled: HTTPStatus.NOT_FOUND,
    OtherEnrolment: HTTPStatus.CONFLICT,
}


def calls(witness: WitnessService) -> list[web.RouteDef]:
    """Return the routes of the API for homes."""

    async def enrol(body: object) -> web.Response:
        receipt, is_new = await witness.enrol(EnrolmentRequest.read(body))
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return web.json_response(receipt.body(), status=status)

    async def leave(body: object) -> web.Response:
        receipt = await witness.leave(SignedRequest.read(body, call=Call.DEPARTURES))
        return web.json_response(receipt.body())

    async def look(body: object) -> web.Response:
        summary = await witness.look(SignedRequest.read(body, call=Call.OPENINGS))
        return web.json_response(summary.body())

    return [
        web.post(Call.ENROLMENTS.path, _answering(enrol)),
        web.post(Call.DEPARTURES.path, _answering(leave)),
        web.post(Call.OPENINGS.path, _answering(look)),
    ]


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the collectives of this witness, and what it opened."""
    collectives = pages.settings.witness_for
    if not collectives:
        raise web.HTTPNotFound
    async with pages.store.reading() as connection:
        witnessed = await overview(connection, collectives, guest.now)
        restored = await restored_at(connection)
    return pages.page(
        guest, "witness.html", witnessed=witnessed, restored=restored, reasons=REFUSALS
    )


def _json(body: bytes) -> object:
    parsed: object = json.loads(body.decode())
    return parsed


def _answering(call: Callable[[object], Awaitable[web.Response]]) -> Handler:
    """Return a handler that takes a JSON body of bounded size, and answers JSON."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.clone(client_max_size=MAX_BODY_BYTES).read()
        try:
            return await call(decoded(_json, body))
        except BadBody as bad:
            status, detail = HTTPStatus.BAD_REQUEST, bad.text
        except CollectiveFault as fault:
            status, detail = _STATUSES.get(type(fault), HTTPStatus.BAD_REQUEST), fault.text
        except Undecodable:
            status, detail = HTTPStatus.BAD_REQUEST, _NOT_JSON
        return problem(status, _TITLES[status], detail)

    return handle
