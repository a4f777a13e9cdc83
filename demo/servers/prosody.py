"""XMPP servers on loopback, each a real Prosody in a folder of its own: for the demo and the tests.

    authority = Authority(folder)
    one, two = Prosody("one.test", authority), Prosody("two.test", authority)
    federate(one, two)
    with one, two:

Nothing of them leaves the machine, and no name is asked of any DNS.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import permutations
import os
from pathlib import Path
import re
import signal
import socket
import subprocess
import tempfile
import time
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.hass import free_port
from demo.processes.child import killed_with_its_parent

START_SECONDS = 120
STOP_SECONDS = 5
LOOPBACK = "127.0.0.1"

_PLUGIN = """\
-- Where the other servers are, by name: no DNS is asked. For tests.
local manual = require "prosody.net.resolvers.manual";
module:hook("s2sout-pre-connect", function (event)
	local place = module:get_option("loopback_servers", {})[event.session.to_host];
	if place then
		local targets = {};
		for i = 1, #place, 2 do
			table.insert(targets, { "tcp4", place[i], place[i + 1], {} });
		end
		event.resolver = manual.new(targets, "tcp", {});
	end
end);
"""

_RECORDER = """\
-- Writes what programs with some resource send, a stanza a line. For tests.
module:set_global();
local filters = require "prosody.util.filters";
local places = module:get_option("recorded_stanzas");
local function record(stanza, session)
	local resource = type(stanza) == "table" and stanza.attr and session.resource;
	if resource == places[1] then
		local file = assert(io.open(places[2], "a"));
		file:write((tostring(stanza):gsub("\\n", "&#10;")), "\\n");
		file:close();
	end
	return stanza;
end
filters.add_filter_hook(function (session)
	filters.add_filter(session, "stanzas/in", record, -10000);
end);
"""

RECORDED = "RECORDED_STANZAS"
"""Variable with the folder in which servers record the stanzas of nodes, if it is set."""
_RESOURCE = "quoalise"
"""Of nodes."""

_MODULES = (
    "disco roster saslauth tls ping smacks offline mam register_ibr invites"
    " invites_register admin_shell s2s_bidi loopback_servers"
)
_COMPONENT_MODULES = "tls s2s_bidi loopback_servers"
"""A component has none of its server's."""
_SITE_MODULES = "http_files websocket"


class Authority:
    """A certificate authority that nobody else knows. Python since 3.13 wants all of these."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Loopback")
        certificate = self._builder("Loopback", self._key.public_key(), is_authority=True).sign(
            self._key, hashes.SHA256()
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, folder: Path) -> tuple[Path, Path]:
        """Return the files of a certificate for a server and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            self._builder(host, key.public_key(), is_authority=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = folder / f"{host}.crt", folder / f"{host}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        files[1].chmod(0o600)
        return files

    def _builder(
        self, name: str, key: ec.EllipticCurvePublicKey, *, is_authority: bool
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        basic = x509.BasicConstraints(ca=is_authority, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=not is_authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=is_authority,
            crl_sign=is_authority,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(basic, critical=True)
            .add_extension(usage, critical=True)
        )


class Prosody(AbstractContextManager["Prosody"]):
    """One server of one host. It ends with its context; its data stay in its folder."""

    def __init__(
        self,
        host: str,
        authority: Authority,
        folder: Path | None = None,
        *,
        port: int | None = None,
    ) -> None:
        """Prepare it in a folder, or in one that is removed with it."""
        self.host = host
        self.port = port or free_port()
        self.direct_tls_port = free_port()
        self.s2s_port = free_port()
        self.ca_file = authority.file
        self._own: tempfile.TemporaryDirectory[str] | None = None
        if folder is None:
            self._own = tempfile.TemporaryDirectory(prefix="prosody", ignore_cleanup_errors=True)
            folder = Path(self._own.name)
        self.folder = folder
        self._site: Path | None = None
        self._site_port = 0
        self._others: dict[str, list[tuple[str, int]]] = {}
        self._components: dict[str, str] = {}
        self.component_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("data", "plugins"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "plugins/mod_loopback_servers.lua").write_text(_PLUGIN)
        (folder / "plugins/mod_recorded_stanzas.lua").write_text(_RECORDER)
        self._authority = authority
        self._certificate, self._key = authority.issue(host, folder)
        self._configure()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._own:
            self._own.cleanup()

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)  # One that was killed has left it.
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                killed_with_its_parent(["prosody", "-F", "--config", str(self._config)]),
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )
        until = time.monotonic() + START_SECONDS
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"Prosody does not start: {self.log()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Freeze it, as behind a broken line: it is silent until it is thawed."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def knows(self, other: Prosody) -> None:
        """Point it to another server, from its next start on."""
        self.knows_at(other.host, (LOOPBACK, other.s2s_port))

    def knows_at(self, host: str, *places: tuple[str, int]) -> None:
        """Point it to the addresses and ports of a server, from its next start on."""
        self._others[host] = list(places)
        self._configure()

    def serve(self, site: Path) -> str:
        """Serve a folder over HTTP, and accounts over WebSocket there, from its next start on.

        Returns the address.
        """
        self._site, self._site_port = site, free_port()
        self._configure()
        return f"http://{LOOPBACK}:{self._site_port}/"

    def component(self, domain: str, secret: str) -> int:
        """Take a component (XEP-0114) for a domain, from its next start on. Returns its port."""
        self._components[domain] = secret
        self.component_port = self.component_port or free_port()
        self._authority.issue(domain, self.folder)
        self._configure()
        return self.component_port

    def register(self, user: str, password: str) -> str:
        """Make an account, and return its address."""
        self._control("register", user, self.host, password)
        return f"{user}@{self.host}"

    def register_all(self, users: Iterable[str], password: str) -> list[str]:
        """Make many accounts at once. Those that are there stay as they are."""
        addresses = [f"{user}@{self.host}" for user in users]
        orders = [f"user:create({lua(address)}, {lua(password)})" for address in addresses]
        output = self._control("shell", orders="\n".join([*orders, "bye", ""]))
        if output.count("OK: Created") + output.count("Error: User exists") != len(addresses):
            raise RuntimeError(output)
        return addresses

    def invite(self, user: str | None = None) -> str:
        """Return the link of an invitation to make an account, of that name or of any."""
        whom = f"{user}@{self.host}" if user else self.host
        output = self._control("shell", f'invite:create_account("{whom}")')
        link = re.search(r"xmpp:\S+", output)
        if link is None:
            raise RuntimeError(output)
        return link[0]

    def log(self) -> str:
        return "".join(
            path.read_text(errors="replace")
            for name in ("prosody.log", "output")
            if (path := self.folder / name).exists()
        )

    @property
    def _config(self) -> Path:
        return self.folder / "prosody.cfg.lua"

    def _is_up(self) -> bool:
        ports = (
            *(self.port, self.direct_tls_port, self.s2s_port),
            *(self._site_port, self.component_port),
        )
        return self._socket.exists() and all(map(listens, filter(None, ports)))

    @property
    def _socket(self) -> Path:
        """Where its administrator connects to."""
        return self.folder / "prosody.sock"

    def _control(self, *arguments: str, orders: str | None = None) -> str:
        command = ["prosodyctl", "--root", "--config", str(self._config), *arguments]
        done = subprocess.run(
            killed_with_its_parent(command),
            cwd=self.folder,
            check=False,
            text=True,
            input=orders,
            capture_output=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    def _configure(self) -> None:
        self._config.write_text(self._configuration(self._settings()))

    def _configuration(self, settings: Mapping[str, object]) -> str:
        """Return the configuration file."""
        lines = [f"{key} = {lua(value)}" for key, value in settings.items()]
        lines.append(f"VirtualHost {lua(self.host)}")
        for domain, secret in self._components.items():
            tls = self._tls(self.folder / f"{domain}.crt", self.folder / f"{domain}.key")
            lines += [f"Component {lua(domain)}", f"component_secret = {lua(secret)}"]
            lines += [f"ssl = {lua(tls)}", f"modules_enabled = {lua(_COMPONENT_MODULES.split())}"]
        return "\n".join([*lines, ""])

    def _tls(self, certificate: Path, key: Path) -> dict[str, Path]:
        return {"cafile": self.ca_file, "certificate": certificate, "key": key}

    def _settings(self) -> dict[str, object]:
        folder, records = self.folder, os.environ.get(RECORDED)
        recorder = {}
        if records:
            recorder["recorded_stanzas"] = [_RESOURCE, f"{records}/{self.host}-{self.port}"]
        return recorder | {
            "run_as_root": os.geteuid() == 0,
            "pidfile": folder / "prosody.pid",
            "data_path": folder / "data",
            "certificates": folder,
            "plugin_paths": [folder / "plugins"],
            "admin_socket": self._socket,
            "interfaces": [LOOPBACK],
            "c2s_ports": [self.port],
            "c2s_direct_tls_ports": [self.direct_tls_port],
            "s2s_ports": [self.s2s_port],
            "s2s_direct_tls_ports": [],
            "https_ports": [],
            **self._http_settings(),
            "c2s_require_encryption": True,
            "s2s_require_encryption": True,
            "s2s_secure_auth": True,
            "authentication": "internal_hashed",
            "storage": "internal",
            "allow_registration": True,
            "registration_invite_only": True,
            "modules_enabled": [
                *_MODULES.split(),
                *(_SITE_MODULES.split() if self._site else ()),
                *recorder,
            ],
            "log": {"info": folder / "prosody.log"},
            "ssl": self._tls(self._certificate, self._key),
            **self._component_settings(),
            "loopback_servers": {
                host: [value for place in places for value in place]
                for host, places in self._others.items()
            },
        }

    def _component_settings(self) -> dict[str, object]:
        if not self._components:
            return {}
        return {"component_ports": [self.component_port], "component_interfaces": [LOOPBACK]}

    def _http_settings(self) -> dict[str, object]:
        if self._site is None:
            return {"http_ports": []}
        return {
            "http_ports": [self._site_port],
            "http_interfaces": [LOOPBACK],
            "http_default_host": self.host,
            "http_paths": {"files": "/"},
            "http_files_dir": self._site,
            "consider_websocket_secure": True,  # It does not leave the machine.
        }


def federate(*servers: Prosody) -> None:
    """Point servers to each other, from their next start on."""
    for server, other in permutations(servers, 2):
        server.knows(other)


def lua(value: object) -> str:
    """Return a value as its configuration has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list():
            return "{ " + ", ".join(map(lua, value)) + " }"
        case dict():
            pairs = (f"[{lua(key)}] = {lua(each)}" for key, each in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'


def listens(port: int, address: str = LOOPBACK) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
