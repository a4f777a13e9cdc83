"""Any actions in any order: the register leads to the state, and nothing leaks."""

from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select

from consometers_node.permission import (
    FOLLOWING,
    Actor,
    Choice,
    Permission,
    PermissionFault,
    Permissions,
    State,
)
from consometers_node.series import Range
from consometers_node.store import NotPermitted, PermissionId, Store
from consometers_node.store.outbox import sending
from consometers_node.store.peers import Peer, add_peer, subscribe, subscriptions
from consometers_node.store.series import add_series
from consometers_node.store.tables import OutboxRow
from testing.clocks import sure
from testing.homes.data_needs import (
    DAILY,
    FINE,
    HOURLY,
    INJECTED,
    NEED,
    NO,
    PRODUCED,
    STOP,
    YES,
    now,
    queue,
    unsent,
)

ACTIONS = st.sampled_from(
    ["propose", "version", "grant", "refuse", "withdraw", "terminate", "expire", "queue", "send"]
)
CHOICES = st.builds(
    Choice,
    series=st.frozensets(
        st.sampled_from([HOURLY, INJECTED, DAILY, FINE, PRODUCED]), min_size=1, max_size=3
    ),
    history_days=st.none() | st.integers(0, 31),
    duration_days=st.none() | st.integers(1, 366),
)
STEPS = st.lists(
    st.tuples(ACTIONS, st.integers(0, 3), CHOICES, st.integers(-40, 1)), min_size=4, max_size=14
)
ACTORS = {
    State.PROPOSED: Actor.PEER,
    State.GRANTED: Actor.HOUSEHOLD,
    State.REFUSED: Actor.HOUSEHOLD,
    State.WITHDRAWN: Actor.HOUSEHOLD,
    State.TERMINATED: Actor.PEER,
}
homes = count(1)


class Life:
    """One peer's actions at the household."""

    def __init__(self, store: Store, peer: Peer) -> None:
        self.store = store
        self.peer = peer
        self.version = 1
        self.permissions: list[PermissionId] = []

    async def step(self, action: str, which: int, choice: Choice, day: int) -> None:
        """Do one thing, in a transaction; it may be refused."""
        try:
            async with self.store.writing() as connection:
                await self._do(Permissions(connection), action, which, choice, day)
        except PermissionFault, NotPermitted:
            pass

    async def _do(
        self, permissions: Permissions, action: str, which: int, choice: Choice, day: int
    ) -> None:
        connection = permissions._connection
        if action in {"propose", "version"}:
            self.version += action == "version"
            need = replace(NEED, version=self.version)
            self.permissions.append(await permissions.propose(self.peer.id, need, now()))
            return
        if action == "expire":
            assert await permissions.expire(sure(now())) == []
            return
        permission = self.permissions[which % len(self.permissions)]
        match action:
            case "grant":
                await permissions.grant(permission, choice, YES, now())
            case "refuse":
                await permissions.refuse(permission, NO, now())
            case "withdraw":
                await permissions.withdraw(permission, STOP, now())
            case "terminate":
                await permissions.terminate(permission, now())
            case "queue":
                (series, *_) = choice.series
                number = await add_series(connection, series)
                records = Range(now() + timedelta(day - 1), now() + timedelta(day))
                before = await permissions.get(permission)
                await queue(connection, self.peer.id, permission, number, records)
                await subscribe(connection, self.peer.id, number, now())
                assert before.state is State.GRANTED
                assert before.terms is not None
                assert before.terms.valid_from <= now() < before.terms.valid_until
                assert series in before.terms.series
                assert before.terms.records.covers(records)
            case "send":
                queued = await unsent(connection, self.peer.id, 3)
                await sending(connection, queued, "stanza", now())

    async def check(self) -> None:
        """Assert that the database holds nothing forbidden."""
        async with self.store.reading() as connection:
            permissions = Permissions(connection)
            every = await permissions.all(self.peer.id)
            granted = {permission.id for permission in every if permission.state is State.GRANTED}
            assert len(granted) <= 1
            for permission in every:
                await self._check(permissions, permission)
            rows = select(OutboxRow.permission_id).where(OutboxRow.peer_id == self.peer.id)
            assert {row for (row,) in await connection.execute(rows)} <= granted
            permitted = await permissions.permitted(self.peer.id)
            assert {entry.permission for entry in permitted} == granted
            subscribed = {
                subscription.series_id
                for subscription in await subscriptions(connection, self.peer.id)
            }
            assert subscribed <= {entry.series_id for entry in permitted}

    async def _check(self, permissions: Permissions, permission: Permission) -> None:
        entries = await permissions.entries(permission.id)
        states = [entry.state for entry in entries]
        assert (states[0], states[-1]) == (State.PROPOSED, permission.state)
        assert all(after in FOLLOWING[before] for before, after in pairwise(states))
        assert all(entry.actor is ACTORS[entry.state] for entry in entries)
        assert [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
        if permission.state in {State.PROPOSED, State.REFUSED}:
            assert permission.terms is None
        else:
            assert permission.terms is not None
            assert all(permission.need.asks_for(series) for series in permission.terms.series)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
async def test_any_sequence_of_actions_keeps_the_rules(
    store: Store, steps: list[tuple[str, int, Choice, int]]
) -> None:
    async with store.writing() as connection:
        peer = await add_peer(connection, f"coop-{next(homes)}@example.org", "Coop", now())
    life = Life(store, peer)
    await life.step("propose", 0, steps[0][2], 0)
    for step in steps:
        await life.step(*step)
        await life.check()
