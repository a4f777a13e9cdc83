"""The code of a witness, typed at home: with a grant, or afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consometers_node.permission import DataNeed, Permissions
from consometers_node.store import PermissionId, Store
from consometers_node.store.household.enrolments import code_of
from consometers_node.store.peers import add_peer
from consometers_node.wire.need_file import write_need_file
from consometers_protected_sums.codes import EXAMPLE
from testing.commands.fixtures import Run
from testing.home_assistant.rows import rows
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant, serving
from testing.homes.data_needs import (
    CHOICE,
    CHOICE_OF_PROTECTED,
    NEED,
    PROTECTED,
    WITNESS,
    grant,
    now,
)

DRAWN = "sensor.drawn"
PEER = "coop@energies.example"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    folder = tmp_path / "share" / "consometers"
    folder.mkdir(parents=True)
    store = await Store.open(folder / "node.db")
    try:
        yield store
    finally:
        await store.close()


async def granted(store: Store, need: DataNeed, jid: str = PEER) -> PermissionId:
    async with store.writing() as connection:
        peer = await add_peer(connection, jid, "Coop", now())
        choice = CHOICE if need is NEED else CHOICE_OF_PROTECTED
        return await grant(Permissions(connection), peer.id, need, choice)


async def test_a_code_is_saved_for_a_permission_that_needs_one(run: Run, store: Store) -> None:
    number = await granted(store, PROTECTED)
    typed = EXAMPLE.lower().replace("-", " ")
    saved = await run.json("code", number[:8], typed)
    assert saved == {"permission": number, "running": False}
    async with store.reading() as connection:
        assert await code_of(connection, number) == EXAMPLE
    words = (await run.ok("code", number[:8], EXAMPLE, language="fr")).out
    assert WITNESS.name in words.replace("\u2068", "").replace("\u2069", "")
    assert EXAMPLE not in words
    assert await run.condition("code", number, EXAMPLE[:-1]) == "usage"
    other = await granted(store, NEED, "sun@energies.example")
    assert await run.condition("code", other, EXAMPLE) == "no-code"


async def test_a_protected_request_is_granted_with_a_code_alone(
    run: Run, tmp_path: Path, socket_enabled: None
) -> None:
    toy = ToyHomeAssistant()
    toy.hours[DRAWN] = rows(now().replace(minute=0, second=0), 1)
    toy.answers = {
        "get_config": {"time_zone": "Europe/Paris"},
        "get_states": [{"last_changed": now().isoformat()}],
        "recorder/list_statistic_ids": [
            {
                "statistic_id": DRAWN,
                "unit_class": "energy",
                "has_sum": True,
                "source": "recorder",
            },
        ],
        "energy/get_prefs": {"energy_sources": [{"type": "grid", "stat_energy_from": DRAWN}]},
    }
    need = tmp_path / "sums.toml"
    need.write_text(write_need_file(PROTECTED))
    async with serving(toy):
        await run.ok("home", toy.url, typed=TOKEN + "\n")
        (asked,) = (await run.json("peer", "add", PEER, "--need", need))["asked"]
        grants = ("grant", asked["permission"], "--series", DRAWN, "--yes")
        result = await run(*grants)
        assert result.status == 2
        assert "--code: write the code that" in result.err
        assert await run.condition(*grants, "--code", EXAMPLE[:-1]) == "usage"
        # With a code, the witness is looked at: here it is nowhere.
        assert await run.condition(*grants, "--code", EXAMPLE) == "permission"
