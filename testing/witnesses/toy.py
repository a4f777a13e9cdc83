"""A witness of a few lines, over HTTPS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
import ssl

from aiohttp import web

from consometers_node.series import Direction
from consometers_node.wire.witness_requests import (
    Call,
    DepartureReceipt,
    EnrolmentReceipt,
    EnrolmentRequest,
    OpeningsSummary,
    SignedRequest,
)
from consometers_protected_sums.heads import Head
from demo.servers.prosody import Authority
from testing.homes.data_needs import now

CODE = "BCDFG-HJKLM-PRSTX-ZBCDF"
HEAD = Head.of(bytes(32), 3, bytes(32)).packed()


@dataclass
class ToyWitness:
    """A witness of a few lines. What stands in `answers` is answered instead."""

    enrolled: dict[str, EnrolmentRequest] = field(default_factory=dict)
    asked: list[Call] = field(default_factory=list)
    answers: dict[Call, web.Response] = field(default_factory=dict)
    codes: set[str] = field(default_factory=lambda: {CODE})
    """Those that are valid."""
    left_at: datetime | None = None
    """When it revoked the code of a home."""
    loses: bool = False
    head: bytes = HEAD
    shown: list[tuple[bytes, ...]] = field(default_factory=list)
    """The heads of each request."""
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        call = Call(request.match_info["call"])
        self.asked.append(call)
        if call in self.answers:
            return self.answers[call]
        body, at = await request.json(), now()
        if call is Call.ENROLMENTS:
            enrolment = EnrolmentRequest.read(body)
            self.shown.append(enrolment.heads)
            if enrolment.code not in self.codes:
                return web.json_response({}, status=422)
            before = self.enrolled.get(enrolment.pseudonym, enrolment)
            if (
                replace(before, day=enrolment.day, key=enrolment.key, heads=enrolment.heads)
                != enrolment
            ):
                return web.json_response({}, status=409)
            self.enrolled[enrolment.pseudonym] = enrolment
            if self.loses:
                return web.json_response({}, status=503)
            receipt = EnrolmentReceipt(at, enrolment.mac(at), self.head)
            return web.json_response(receipt.body(), status=201)
        signed = SignedRequest.read(body, call=call)
        self.shown.append(signed.heads)
        if signed.pseudonym not in self.enrolled:
            return web.json_response({}, status=404)
        key = self.enrolled[signed.pseudonym].day_key.authentication_key()
        if not signed.is_authentic(key):
            return web.json_response({}, status=401)
        if call is Call.DEPARTURES:
            return web.json_response(DepartureReceipt(at).body())
        return web.json_response(
            OpeningsSummary(
                enrolled_at=at,
                left_at=self.left_at,
                opened={Direction.CONSUMPTION: 720},
                least_homes=36,
                invalid=2,
                homes=40,
                head=self.head,
            ).body()
        )


@asynccontextmanager
async def serving(
    witness: ToyWitness, authority: Authority, folder: Path
) -> AsyncIterator[ToyWitness]:
    app = web.Application()
    app.router.add_post("/witness/{call}", witness.handle)
    async with over_https(app, authority, folder) as port:
        witness.url = f"https://localhost:{port}"
        yield witness


@asynccontextmanager
async def over_https(
    app: web.Application, authority: Authority, folder: Path, port: int = 0
) -> AsyncIterator[int]:
    """Serve an application as its reverse proxy does, and yield the port."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue("localhost", folder))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
