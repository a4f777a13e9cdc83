"""This node as a witness: the API for homes, and the page about its collectives."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
import json
from typing import TYPE_CHECKING

from aiohttp import web

from consometers_node.collective.errors import CollectiveFault
from consometers_node.collective.witness.codes import BadCode
from consometers_node.collective.witness.heads import set_back
from consometers_node.collective.witness.register import NotEnrolled, OtherEnrolment, overview
from consometers_node.collective.witness.service import NotReady, NotWitnessed, WitnessService
from consometers_node.i18n.text import text
from consometers_node.rate_limit import TokenBucket
from consometers_node.web.core.rate_limit import asker
from consometers_node.wire.witness_requests import (
    MAX_BODY_BYTES,
    BadBody,
    Call,
    EnrolmentRequest,
    SignedRequest,
)
from consometers_quoalise.elements.decoding import Undecodable, decoded

from .page_base import Guest, PublicPages, problem

if TYPE_CHECKING:
    from consometers_node.settings_file.formats import Network

WRONG_CODES = 10
"""At once, of one address; then one in ten minutes. Of 2^80 codes, that finds none."""
_WRONG_CODE_EVERY_S = 600

_NOT_JSON = text("The body is not JSON in UTF-8.")
_TITLES = {
    HTTPStatus.BAD_REQUEST: text("The request cannot be read."),
    HTTPStatus.FORBIDDEN: text("This node is no witness for that collective."),
    HTTPStatus.NOT_FOUND: text("No such home is enrolled."),
    HTTPStatus.CONFLICT: text("This pseudonym is taken."),
    HTTPStatus.UNPROCESSABLE_CONTENT: text("This code is not valid."),
    HTTPStatus.SERVICE_UNAVAILABLE: text("This witness is not ready yet."),
}
_TOO_MANY_CODES = text("Too many codes that are not valid came from this address: try again later.")
_STATUSES: Mapping[type[CollectiveFault], HTTPStatus] = {
    NotWitnessed: HTTPStatus.FORBIDDEN,
    NotEnrolled: HTTPStatus.NOT_FOUND,
    OtherEnrolment: HTTPStatus.CONFLICT,
    BadCode: HTTPStatus.UNPROCESSABLE_CONTENT,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
}


def wrong_codes() -> TokenBucket:
    """Return a limit on the codes that are not valid, of each address."""
    return TokenBucket(WRONG_CODES, 1 / _WRONG_CODE_EVERY_S)


def calls(
    witness: WitnessService, proxies: Collection[Network], tries: TokenBucket
) -> list[web.RouteDef]:
    """Return the routes of the API for homes; `tries` limits codes that are not valid."""

    async def enrol_within_limit(request: web.Request) -> web.Response:
        # A try counts before it is made: of many at once, none passes uncounted.
        address = asker(request, proxies)
        wait = tries.take(address)
        if wait is not None:
            response = problem(HTTPStatus.TOO_MANY_REQUESTS, _TOO_MANY_CODES)
            response.headers["Retry-After"] = str(wait)
            return response
        response = await answer_enrolment(request)
        if response.status != HTTPStatus.UNPROCESSABLE_CONTENT:
            tries.give_back(address)
        return response

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

    answer_enrolment = _answering(enrol)
    return [
        web.post(Call.ENROLMENTS.path, enrol_within_limit),
        web.post(Call.DEPARTURES.path, _answering(leave)),
        web.post(Call.OPENINGS.path, _answering(look)),
    ]


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the collectives of this witness, and what it opened: no reason of a refusal.

    A reader could tell by it whether a figure is hidden for want of homes or for a large one.
    """
    collectives = pages.settings.witness_for
    if not collectives:
        raise web.HTTPNotFound
    async with pages.store.reading() as connection:
        witnessed = await overview(connection, collectives, guest.now)
        back = await set_back(connection)
    return pages.page(guest, "witness.html", witnessed=witnessed, set_back=back)


def _json(body: bytes) -> object:
    parsed: object = json.loads(body.decode())
    return parsed


def _answering(
    call: Callable[[object], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
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
