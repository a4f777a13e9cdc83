"""The API for Home Assistant: docs/node-api.md specifies it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from consometers_node.household.node import HomeNode
from consometers_node.household.sharing.sync import progress
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_node.permission import State
from consometers_node.sharing.restriction import pause, resume
from consometers_node.sharing.status import Answered, Collective, collectives, current_permissions
from consometers_node.store import PeerId, PermissionId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.enrolments import enrolments
from consometers_node.store.household.letters import ReceivedLetter, all_letters
from consometers_node.store.household.plants import all_held_plants
from consometers_node.store.household.pulled import all_pulled
from consometers_node.store.peers import all_peers
from consometers_node.web.core.access import problem
from consometers_quoalise import Challenge, iso8601

from .plants import plants
from .sums import Json, drawn_last_month, sums

if TYPE_CHECKING:
    from consometers_node.sharing.openings import Openings

VERSION = 1

_HEARTBEAT_S = 30.0
_AT_MOST_EVERY_S = 1.0
_UNKNOWN = text("There is no such collective.")


class Api:
    """Version 1."""

    def __init__(self, node: HomeNode, node_id: str, version: str) -> None:
        self._node = node
        self._id = node_id
        self._version = version
        self.routes = [
            web.get("/api/v1/node", self._node_status),
            web.post("/api/v1/collectives/{id}/pause", partial(self._hold, paused=True)),
            web.post("/api/v1/collectives/{id}/resume", partial(self._hold, paused=False)),
            web.get("/api/v1/events", self._events),
        ]

    async def _node_status(self, _request: web.Request) -> web.Response:
        node = self._node
        network, fault, doubt = node.network, node.network_problem, node.clock.doubt
        answer: Json = {
            "api": VERSION,
            "version": self._version,
            "id": self._id,
            "account": network.connection.jid.partition("/")[0] if network else None,
            "online": network is not None and network.connection.is_online,
            "problem": _words(sentence(fault) if fault else None),
            "clock": _words(doubt.text if doubt and doubt.is_wrong else None),
            "home_assistant": {
                "connected": node.source.is_connected,
                "problem": _words(node.home_problem),
            },
            "collectives": [*await self._all()],
        }
        return web.json_response(answer)

    async def _hold(self, request: web.Request, *, paused: bool) -> web.Response:
        peer_id = request.match_info["id"]
        async with self._node.store.withdrawing() as connection:
            peers = {str(peer.id): peer.id for peer in await all_peers(connection)}
            if peer_id not in peers:
                return problem(404, "item-not-found", _UNKNOWN)
            await (pause if paused else resume)(connection, peers[peer_id])
        self._node.changes.notify()
        (changed,) = await self._all(peers[peer_id])
        return web.json_response(changed)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        changes = self._node.changes
        seen = changes.count
        while not request.transport or not request.transport.is_closing():
            if await changes.after(seen, _HEARTBEAT_S):
                seen = changes.count
                await response.write(b"event: changed\ndata:\n\n")
                await asyncio.sleep(_AT_MOST_EVERY_S)
            else:
                await response.write(b":\n\n")
        return response

    async def _all(self, peer: PeerId | None = None) -> list[dict[str, Json]]:
        """Return all collectives, or one."""
        now = datetime.now(UTC)
        network = self._node.network
        async with self._node.store.reading() as connection:
            pulled = await all_pulled(connection)
            held = await all_held_plants(connection)
            together = network.together if network else None
            opened = await self._opened(connection)
            unread = await all_letters(connection, unread=True)
            answers = []
            for collective in await collectives(
                connection, now, await progress(connection, self._node.source.memory, now)
            ):
                if peer in (None, collective.peer.id):
                    drawn = await drawn_last_month(connection, collective, now)
                    jid = collective.peer.jid
                    answers.append(
                        self._collective(collective, opened)
                        | {
                            "sums": sums(collective, pulled, together, drawn, now),
                            "challenge": _challenge(together.challenge(jid) if together else None),
                            "plants": plants(held, jid, pulled, together, drawn=drawn, now=now),
                            "letters": [
                                _letter(each)
                                for each in unread
                                if each.peer_id == collective.peer.id
                            ],
                        }
                    )
            return answers

    async def _opened(self, connection: AsyncConnection) -> Mapping[PermissionId, Json]:
        """Return the protected sums of each permission for any: most homes have none."""
        if not await enrolments(connection):
            return {}
        from consometers_node.sharing.openings import all_openings  # noqa: PLC0415

        enrolling = self._node.enrolling
        problems = enrolling.problems if enrolling else {}
        return {
            permission_id: _openings(openings, problems.get(permission_id))
            for permission_id, openings in (await all_openings(connection)).items()
        }

    def _collective(
        self, collective: Collective, opened: Mapping[PermissionId, Json]
    ) -> dict[str, Json]:
        network = self._node.network
        delivery = network.sharing.deliveries.get(collective.peer.id) if network else None
        return {
            "id": str(collective.peer.id),
            "jid": collective.peer.jid,
            "name": collective.peer.name,
            "acknowledged_until": _at(collective.acknowledged_until),
            "waiting": collective.waiting,
            "waiting_since": _at(collective.waiting_since),
            "problem": _words(delivery.problem if delivery else None),
            "by_name": collective.by_name,
            "permissions": [
                _permission(answered, opened.get(answered.permission.id))
                for answered in current_permissions(collective, datetime.now(UTC))
            ],
        }


def _letter(letter: ReceivedLetter) -> Json:
    return {"id": letter.id, "time": _at(letter.written_at), "text": dict(letter.body)}


def _openings(openings: Openings, problem: Text | None) -> Json:
    enrolment, summary = openings.enrolment, openings.summary
    return {
        "enrolled_at": _at(enrolment.enrolled_at),
        "left_at": _at(enrolment.left_at),
        "asked_at": _at(enrolment.asked_at),
        "opened_hours": None
        if summary is None
        else {str(way): n for way, n in summary.opened.items()},
        "least_homes": None if summary is None else summary.least_homes,
        "invalid_hours": None if summary is None else summary.invalid,
        "homes": None if summary is None else summary.homes,
        "problem": _words(problem),
    }


def _permission(answered: Answered, protected: Json) -> Json:
    permission = answered.permission
    terms = permission.terms
    return {
        "id": permission.id,
        "title": dict(permission.need.title),
        "state": permission.state,
        "paused": answered.paused and permission.state is State.GRANTED,
        "series": len(terms.series) if terms else 0,
        "valid_until": _at(terms.valid_until if terms else None),
        "newer_version": answered.newer,
        "protected": protected,
    }


def _challenge(current: Challenge | None) -> Json:
    """Return the challenge of a collective in which this home's commune takes part."""
    if current is None:
        return None
    return {
        "name": {"en": current.name_en, "fr": current.name_fr},
        "from": current.first_day.isoformat(),
        "to": current.last_day.isoformat(),
        "objective": current.objective,
        "participant": current.participant,
        "participants": current.participants,
        "standing": None
        if (standing := current.standing) is None
        else {
            "change": float(standing.change),
            "low": float(standing.low),
            "high": float(standing.high),
            "rank_first": standing.rank_first,
            "rank_last": standing.rank_last,
        },
    }


def _words(words: Text | None) -> Json:
    return None if words is None else dict(words.by_language)


def _at(instant: datetime | None) -> Json:
    return None if instant is None else iso8601.shown(instant)
