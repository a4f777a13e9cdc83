"""The privacy notice says how members' data are used, as the data needs and the settings do."""

import asyncio
from dataclasses import replace
from pathlib import Path

from consometers_node.collective.permissions import needs
from consometers_node.collective.privacy_notice import data_policy
from consometers_node.permission import DataNeed
from consometers_node.store import Store
from demo.servers.prosody import Prosody
from testing.collectives.running import Coop, cooperating
from testing.homes.data_needs import HEAT, NEED, now
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import MakePlain, NewAccount
from testing.xmpp.plain_peer import FIELD, INFO, PlainPeer, disco


def test_notice_has_purpose_and_retention_of_each_data_need() -> None:
    policy = data_policy([NEED, HEAT], "Lorient")
    assert policy is not None
    assert policy.purpose["en"] == (
        "Sunny roofs: To size the next roof.; Chauffage: Isoler ce qui perd le plus."
    )
    assert policy.retention["en"] == (
        "Sunny roofs: 90 days after the end of the permission;"
        " Chauffage: no longer than the permission lasts"
    )
    assert policy.retention["fr"] == (
        "Toits au soleil : 90 jours après la fin de l’autorisation ;"
        " Chauffage : pas plus longtemps que l’autorisation ne dure"
    )
    assert policy.location["fr"] == "Lorient"
    assert data_policy([], "Lorient") is None


def test_retention_counts_whole_years_and_a_missing_location_names_the_contact() -> None:
    policy = data_policy([replace(NEED, retention_days=730)], None)
    assert policy is not None
    assert policy.retention["fr"].endswith(" 2 ans après la fin de l’autorisation")
    assert "dpo@coop.example" in policy.location["en"]


async def test_the_privacy_notice_on_the_network_follows_the_needs(
    store: Store,
    prosody: tuple[Prosody, Prosody],
    new_account: NewAccount,
    new_plain: MakePlain,
    tmp_path: Path,
) -> None:
    server, _ = prosody
    async with cooperating(
        store, server, new_account(server), tmp_path, location="Lorient"
    ) as coop:
        peer = await new_plain(server, language="fr")
        assert await form(peer, coop) == {}
        await offer(coop, NEED)
        policy = await wait_for_purpose(peer, coop, "Toits au soleil")
        assert policy == {
            "FORM_TYPE": "urn:xmpp:data-policy:0",
            "purpose": "Toits au soleil : Pour dimensionner le prochain toit.",
            "retention": "Toits au soleil : 90 jours après la fin de l’autorisation",
            "location": "Lorient",
        }
        await offer(coop, HEAT)
        await wait_for_purpose(peer, coop, "Chauffage")


async def offer(coop: Coop, need: DataNeed) -> None:
    async with coop.store.writing() as connection:
        await needs.offer(connection, need, now())
    coop.node.look_again()


async def form(peer: PlainPeer, coop: Coop) -> dict[str | None, str | None]:
    answer = await disco(peer, coop.network.connection.jid, INFO)
    return {field.get("var"): field.findtext("*") for field in answer.iter(FIELD)}


async def wait_for_purpose(peer: PlainPeer, coop: Coop, words: str) -> dict[str | None, str | None]:
    async with asyncio.timeout(DEADLINE_S):
        while words not in ((policy := await form(peer, coop)).get("purpose") or ""):
            await asyncio.sleep(0.1)
    return policy
