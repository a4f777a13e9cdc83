"""A connection is encrypted or not made, comes back by itself, and leaves nothing behind."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import replace
import logging
from pathlib import Path
import socket
from time import thread_time

import pytest
from slixmpp.util.sasl.client import SASLFailed

from consometers_node.i18n.protocol import sentence
from consometers_quoalise import Listed, OtherError
from consometers_quoalise_network import (
    Account,
    Asker,
    NetworkError,
    Security,
    Server,
    answering as answering_module,
    asking as asking_module,
)
from consometers_quoalise_network.errors import (
    CertificateRefused,
    NoAnswer,
    NotEncrypted,
    TakenOver,
    TemporaryFailure,
    Unreachable,
    WrongPassword,
)
from consometers_quoalise_xmpp import (
    Connection,
    base_stream,
    connection as connection_module,
    stream as stream_module,
)
from demo.hass import free_port
from demo.servers.prosody import LOOPBACK, Authority, Prosody
from testing.networks import PASSWORD, QUICK, reach
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.xmpp.answerers import NOW, SERIES, MemoryHome, records
from testing.xmpp.fixtures import MakeNode, MakePlain, NewAccount, Serve, certified, fake_server

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SALT = b64decode("QSXCR+Q6sek8bf92")
OPENED = b"version='1.0'>"
HEAD = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" id='1' version='1.0'>"
)


def scripted(heard: bytearray, *turns: tuple[bytes, bytes]) -> Serve:
    """Return a server that answers each of these words, and then only listens."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for words, answer in turns:
            heard.extend(await reader.readuntil(words))
            writer.write(answer)
        heard.extend(await reader.read())
        writer.close()

    return serve


def mechanisms(*names: str) -> bytes:
    offered = "".join(f"<mechanism>{name}</mechanism>" for name in names)
    features = f"<mechanisms xmlns='{SASL}'>{offered}</mechanisms>"
    return f"<stream:features>{features}</stream:features>".encode()


class Silent(MemoryHome):
    """A home that thinks for long."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        self.asked.set()
        await asyncio.sleep(60)
        return []


async def problem_of(account: Account, server: Server) -> NetworkError:
    async with Connection(account, server=server, backoff=QUICK) as connection:
        with pytest.raises(NetworkError) as raised:
            await connection.online(DEADLINE_S, patient=False)
        assert not connection.is_online
        return raised.value


async def offline(connection: Connection) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while connection.is_online:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("security", Security)
async def test_every_kind_of_tls_needs_a_trusted_authority(
    server: Prosody, new_account: NewAccount, security: Security
) -> None:
    port = server.direct_tls_port if security is Security.DIRECT else server.port
    place = Server(host=LOOPBACK, port=port, security=security, ca_file=server.ca_file)
    async with Connection(Account(new_account(server), PASSWORD), server=place) as connection:
        await connection.online(DEADLINE_S)
        assert connection.stream.encrypted
        assert connection.stream.managed
        assert connection.jid.endswith("@one.test/quoalise")
    problem = await problem_of(Account("a@one.test", PASSWORD), replace(place, ca_file=None))
    assert isinstance(problem, CertificateRefused)
    assert "certificate in certificate chain" in sentence(problem).say()
    assert sentence(problem).say("fr").startswith("Le serveur one.test ne prouve pas son identité")


async def test_the_certificate_of_another_name_is_refused(
    authority: Authority, tmp_path: Path, socket_enabled: None
) -> None:
    tls = certified(authority, "thief.test", tmp_path)
    async with fake_server(scripted(bytearray()), tls, authority.file) as place:
        problem = await problem_of(Account("a@one.test", PASSWORD), place)
    assert isinstance(problem, CertificateRefused)
    assert "not valid for 'one.test'" in sentence(problem).say()


async def test_a_wrong_password_is_tried_once(server: Prosody, new_account: NewAccount) -> None:
    jid = new_account(server)
    async with Connection(Account(jid, "wrong"), server=reach(server), backoff=QUICK) as connection:
        with pytest.raises(WrongPassword):
            await connection.online(DEADLINE_S)
        connected = server.log().count("Client connected")
        await asyncio.sleep(0.3)
        assert server.log().count("Client connected") == connected
        with pytest.raises(WrongPassword):
            await connection.online(DEADLINE_S)


async def test_no_login_is_sent_without_tls(socket_enabled: None) -> None:
    heard = bytearray()
    serve = scripted(heard, (OPENED, HEAD + mechanisms("PLAIN", "SCRAM-SHA-1")))
    async with fake_server(serve) as place:
        problem = await problem_of(Account("a@one.test", PASSWORD), place)
    assert isinstance(problem, NotEncrypted)
    assert b"auth" not in heard


@pytest.mark.parametrize(
    ("condition", "kind"),
    [("see-other-host", "Interrupted"), ("host-unknown", "Interrupted"), ("conflict", "TakenOver")],
)
async def test_stream_errors_before_tls_are_not_followed(
    socket_enabled: None, condition: str, kind: str
) -> None:
    error = f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.test</{condition}>"
    answer = HEAD + f"<stream:error>{error}</stream:error>".encode()
    async with fake_server(scripted(bytearray(), (OPENED, answer))) as place:
        connection = Connection(Account("a@one.test", PASSWORD), server=place, backoff=QUICK)
        async with connection:
            with pytest.raises(NetworkError) as raised:
                await connection.online(DEADLINE_S, patient=False)
            assert type(raised.value).__name__ == kind
            assert connection.stream.default_domain == "one.test"


@pytest.mark.parametrize(
    ("condition", "kind", "lasting"),
    [
        ("not-authorized", "WrongPassword", True),
        ("account-disabled", "AccountDisabled", True),
        ("temporary-auth-failure", "TemporaryFailure", False),
        ("aborted", "Interrupted", False),
    ],
)
async def test_login_failures_are_distinguished(
    authority: Authority,
    tmp_path: Path,
    socket_enabled: None,
    *,
    condition: str,
    kind: str,
    lasting: bool,
) -> None:
    tls = certified(authority, "one.test", tmp_path)
    heard = bytearray()
    serve = scripted(
        heard,
        (OPENED, HEAD + mechanisms("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256")),
        (b"</auth>", f"<failure xmlns='{SASL}'><{condition}/></failure>".encode()),
    )
    async with fake_server(serve, tls, authority.file) as place:
        problem = await problem_of(Account("a@one.test", PASSWORD), place)
    assert (type(problem).__name__, problem.lasting) == (kind, lasting)
    assert b"SCRAM-SHA-256" in heard
    assert heard.count(b"<auth") == 1


async def test_the_next_attempt_logs_in_no_less_safely(
    authority: Authority, tmp_path: Path, socket_enabled: None
) -> None:
    heard = bytearray()
    tls = certified(authority, "one.test", tmp_path)
    failure = f"<failure xmlns='{SASL}'><temporary-auth-failure/></failure>".encode()
    serve = scripted(
        heard, (OPENED, HEAD + mechanisms("SCRAM-SHA-1", "SCRAM-SHA-256")), (b"</auth>", failure)
    )
    async with fake_server(serve, tls, authority.file) as place:
        stream = stream_module.Stream(Account("a@one.test", PASSWORD), place)
        for _ in range(2):
            with pytest.raises(TemporaryFailure):
                await stream.open()
        await stream.close()
    assert heard.count(b"SCRAM-SHA-256") == 2


@pytest.mark.parametrize("service", ["xmpp-client", "xmpps-client", ""])
async def test_srv_records_lead_to_the_server(
    server: Prosody, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    async def records(_stream: object, domain: str) -> list[tuple[str, str, str, int]]:
        port = server.direct_tls_port if service == "xmpps-client" else server.port
        gone = free_port()
        return [(service, domain, LOOPBACK, gone), (service, domain, LOOPBACK, port)]

    monkeypatch.setattr(stream_module.Stream, "get_dns_records", records)
    place = Server(ca_file=server.ca_file)
    async with Connection(Account(new_account(server), PASSWORD), server=place) as connection:
        await connection.online(DEADLINE_S)
        assert connection.stream.encrypted


@pytest.mark.parametrize("by_name", [True, False])
async def test_an_unresponsive_address_is_skipped(
    server: Prosody, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    def addresses(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    async def records(_stream: object, domain: str) -> list[tuple[str, str, str, int]]:
        return [("xmpp-client", domain, *place) for place in places]

    reached = Server(ca_file=server.ca_file)
    if by_name:
        monkeypatch.setattr(socket, "getaddrinfo", addresses)
        reached = replace(reach(server), host="cluster.test")
    else:
        monkeypatch.setattr(stream_module.Stream, "get_dns_records", records)
    monkeypatch.setattr(base_stream, "ADDRESS_SECONDS", 0.5)
    account = Account(new_account(server), PASSWORD)
    # A listener whose queue is full leaves others without an answer, as a machine that is off.
    with socket.socket() as off, socket.socket() as waiting:
        off.bind((LOOPBACK, 0))
        off.listen(0)
        waiting.connect(off.getsockname())
        places = [off.getsockname(), (LOOPBACK, server.port)]
        async with Connection(account, server=reached) as connection:
            await connection.online(DEADLINE_S, patient=False)


async def test_a_silent_server_times_out(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_stream, "ATTEMPT_SECONDS", 0.2)
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()
        writer.close()

    async with fake_server(serve) as place:
        problem = await problem_of(Account("a@one.test", PASSWORD), place)
        await asyncio.wait_for(gone.wait(), DEADLINE_S)
    assert isinstance(problem, Unreachable)


async def test_a_late_server_is_reached(own: Prosody, new_account: NewAccount) -> None:
    account = Account(new_account(own), PASSWORD)
    own.stop()
    async with Connection(account, server=reach(own), backoff=QUICK) as connection:
        with pytest.raises(Unreachable, check=says(r"own\.test cannot be reached")):
            await connection.online(DEADLINE_S, patient=False)
        own.start()
        await connection.online(DEADLINE_S)
        assert connection.problem is None


async def test_a_cut_connection_resumes_with_its_pending_requests(
    server: Prosody, new_node: MakeNode
) -> None:
    class Slow(MemoryHome):
        cut: Callable[[], None] = staticmethod(lambda: None)

        async def list_series(self, asker: Asker) -> Iterable[Listed]:
            self.cut()
            await asyncio.sleep(0.05)
            return []

    home = Slow()
    node, peer = await new_node(server, home), await new_node(server)
    session = await peer.connection.online(DEADLINE_S)

    def cut() -> None:
        for connection in (peer.connection, node.connection):
            assert connection.stream.transport is not None
            connection.stream.transport.abort()

    home.cut = cut
    assert await peer.asking.list_series(node.connection.jid) == ()
    assert await peer.connection.online(DEADLINE_S) is session
    assert not session.ended.done()


async def test_tasks_spawned_while_closing_are_cancelled(
    server: Prosody, new_account: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    async def handle() -> None:
        try:
            # Of a database that is away: nobody ends this any more.
            await asyncio.Event().wait()
        finally:
            ended.append("handled")

    async with Connection(Account(new_account(server), PASSWORD), server=reach(server)) as left:
        await left.online(DEADLINE_S)
        close = left.stream.close

        async def slowly() -> None:
            left.spawn(handle())
            await close()

        left.spawn(handle())
        await asyncio.sleep(0)
        monkeypatch.setattr(left.stream, "close", slowly)
    assert ended == ["handled"]


async def test_a_killed_server_ends_the_session_and_its_requests(
    own: Prosody, new_node: MakeNode
) -> None:
    home = Silent()
    node, peer = await new_node(own, home), await new_node(own)
    sessions = [await each.connection.online(DEADLINE_S) for each in (node, peer)]
    asked = asyncio.create_task(peer.asking.list_series(node.connection.jid))
    await home.asked.wait()
    own.kill()
    own.start()
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(asked, DEADLINE_S)
    for session, each in zip(sessions, (node, peer), strict=True):
        await asyncio.wait_for(session.ended, DEADLINE_S)
        await each.connection.online(DEADLINE_S)
    assert await node.asking.list_series(peer.connection.jid) == ()


async def test_a_frozen_server_is_left_and_resumed(
    own: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PING_EVERY_SECONDS", 0.1)
    connection = (await new_node(own)).connection
    session = await connection.online(DEADLINE_S)
    await asyncio.sleep(0.3)
    assert connection.is_online
    own.freeze()
    with monkeypatch.context() as impatient:
        impatient.setattr(connection_module, "PING_SECONDS", 0.3)
        await offline(connection)
    assert connection.problem is not None
    assert "no answer to a ping" in sentence(connection.problem).say()
    own.thaw()
    assert await connection.online(DEADLINE_S) is session


async def test_a_request_to_a_silent_peer_times_out(
    server: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "REQUEST_SECONDS", 0.3)
    node, peer = await new_node(server, Silent()), await new_node(server)
    with pytest.raises(NoAnswer, check=says("did not answer")):
        await peer.asking.list_series(node.connection.jid)


async def test_a_slow_answer_becomes_a_refusal(
    server: Prosody,
    new_node: MakeNode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(answering_module, "ANSWER_SECONDS", 0.1)
    node, peer = await new_node(server, Silent()), await new_node(server)
    with pytest.raises(OtherError) as refused:
        await peer.asking.list_series(node.connection.jid)
    assert refused.value.condition == "internal-server-error"
    (logged,) = [each for each in caplog.records if "answer-late" in each.message]
    assert (logged.levelname, logged.exc_info) == ("WARNING", None)


async def test_a_second_program_at_the_same_address_ends_the_first(
    server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> None:
    jid = new_account(server)
    first = await new_node(server, jid=jid)
    second = await new_node(server, jid=jid)
    await offline(first.connection)
    with pytest.raises(TakenOver):
        await first.connection.online(DEADLINE_S)
    with pytest.raises(TakenOver):
        await first.pushing.push(jid, records(NOW, 1))
    await asyncio.sleep(0.2)
    assert second.connection.is_online


async def test_an_error_in_the_block_closes_the_connection_and_leaves_no_task(
    server: Prosody, new_account: NewAccount
) -> None:
    before = asyncio.all_tasks()
    connection = Connection(Account(new_account(server), PASSWORD), server=reach(server))

    async def fail() -> None:
        async with connection:
            await connection.online(DEADLINE_S)
            connection.spawn(asyncio.sleep(3600))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert not connection.is_online
    assert not connection.stream.scheduled_events


async def test_a_cut_during_a_ping_is_noticed_at_once(
    own: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PING_EVERY_SECONDS", 0.1)
    connection = (await new_node(own)).connection
    own.freeze()
    await asyncio.sleep(0.3)
    assert connection.stream.transport is not None
    connection.stream.transport.abort()
    await offline(connection)


async def test_a_node_that_only_answers_gets_no_chat(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    jid = (node := await new_node(server)).connection.stream.boundjid.bare
    assert node.connection.priority == -1
    person = await new_plain(server, jid=f"{jid}/phone", priority=0)
    sender = await new_plain(server)
    sender.send_raw(
        f'<message to="{jid}"><quoalise xmlns="urn:quoalise:0"/><body>Bonjour</body></message>'
    )
    assert (await person.receive()).findtext("{jabber:client}body") == "Bonjour"


async def test_presence_subscriptions_get_no_answer(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    node, stranger = await new_node(server), await new_plain(server)
    answers: list[object] = []
    for event in ("presence_subscribed", "presence_unsubscribed", "presence_subscribe"):
        stranger.add_event_handler(event, answers.append)
    stranger.send_presence(pto=node.bare, ptype="subscribe")
    await asyncio.sleep(0.3)
    assert not answers


async def test_neither_password_nor_stanza_is_logged(
    server: Prosody, new_node: MakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    home = MemoryHome()
    node, peer = await new_node(server, home), await new_node(server)
    home.readers.add(peer.bare)
    await peer.asking.get_history(node.connection.jid, SERIES)
    # What slixmpp would log as an error, with the stanza.
    peer.connection.stream.data_received(b"<secret></wrong>")
    await asyncio.sleep(0.1)
    assert PASSWORD not in caplog.text
    assert "30001610071843" not in caplog.text
    assert "secret" not in caplog.text
    assert PASSWORD not in repr(Account("a@one.test", PASSWORD))


def test_passwords_are_stretched_as_in_rfc_5802() -> None:
    salted = stream_module.stretch("SHA-1", b"pencil", SALT, 4096)
    assert salted.hex() == "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d"


@pytest.mark.parametrize("rounds", [-1, 0, 1_000_001, 10**12])
def test_excessive_scram_rounds_are_refused(rounds: int) -> None:
    began = thread_time()
    with pytest.raises(SASLFailed):
        stream_module.stretch("SHA-256", b"pencil", SALT, rounds)
    assert thread_time() - began < 0.1
