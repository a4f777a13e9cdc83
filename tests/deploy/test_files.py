"""What deploy/ has is well-formed, and says the same in each of its files."""

from ipaddress import ip_network
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile

import pytest
import yaml  # type: ignore[import-untyped]

from consometers_node.collective.settings_file import read
from consometers_node.host.settings import read as read_host
from testing.addon.installed import PROJECT
from testing.checkout import ROOT
from testing.deploy.compose import Folder, image, mounts, project, variables
from testing.disks import fill, small_disk
from testing.run import lack

DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
ANSWERS = {"DOMAIN": "energies.test", "EMAIL": "you@energies.test", "CERTIFICATES_FROM": "acme"}


def run(*command: str | Path, **variables: str) -> str:
    if shutil.which(command[0]) is None:
        lack(f"{command[0]}, which script/setup installs")
    done = ended(*command, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def ended(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which may be a failure."""
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a copy of it as the documentation has it made."""
    folder = tmp_path / "deploy"
    folder.mkdir()
    for source, target in ((".env.example", ".env"), ("compose.yaml", "compose.yaml")):
        (folder / target).write_text((DEPLOY / source).read_text())
    return folder


HOST_DOMAIN = "foyers.energies.test"


@pytest.fixture
def site_with_host(site: Path) -> Path:
    """Return the same, where a host runs beside the collective."""
    chosen = (site / ".env").read_text().replace("# HOST_", "HOST_")
    (site / ".env").write_text(with_profiles(chosen, "collective,host"))
    return site


def with_profiles(environment: str, profiles: str) -> str:
    return re.sub(
        "^COMPOSE_PROFILES=.*", f"COMPOSE_PROFILES={profiles}", environment, flags=re.MULTILINE
    )


def test_the_compose_file_matches_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    run(PROGRAMS / "check-jsonschema", *schema, DEPLOY / "compose.yaml")


WITHOUT_AND_WITH_HOST = pytest.mark.parametrize(
    "host",
    [{}, {"HOST_DOMAIN": HOST_DOMAIN, "WITH_HOST": "-of-host"}],
    ids=["without a host", "with a host"],
)


@WITHOUT_AND_WITH_HOST
def test_caddy_accepts_its_configuration(tmp_path: Path, host: dict[str, str]) -> None:
    file = DEPLOY / "proxy" / "Caddyfile"
    asked = ("caddy", "validate", "--config", file, "--adapter", "caddyfile")
    run(*asked, HOME=str(tmp_path), **ANSWERS, **host)
    assert run("caddy", "fmt", file) == file.read_text()


@WITHOUT_AND_WITH_HOST
def test_prosody_accepts_its_configuration(tmp_path: Path, host: dict[str, str]) -> None:
    file = DEPLOY / "prosody" / "prosody.cfg.lua"
    (tmp_path / "component").write_text("a secret\n")
    asked = ("prosodyctl", "--root", "--config", file, "check", "config")
    folders = dict.fromkeys(("CERTIFICATES", "HOST_SECRETS"), str(tmp_path))
    output = run(*asked, DOMAIN=ANSWERS["DOMAIN"], **folders, **host)
    assert "All checks passed" in output


def test_the_dockerfile_passes_hadolint() -> None:
    run(PROGRAMS / "hadolint", DEPLOY / "Dockerfile")


def test_the_node_accepts_its_settings(site: Path) -> None:
    node = project(site)["services"]["node"]
    file = DEPLOY / "collective.toml"
    settings = read(file, node["environment"], Path(node["environment"]["CONSOMETERS_DATA"]))
    environment = variables(site / ".env")
    assert settings.name == environment["COLLECTIVE_NAME"]
    assert settings.xmpp.account == f"collective@{environment['COLLECTIVE_DOMAIN']}"
    socket = next(
        mounted["target"] for mounted in mounts(node) if mounted["source"] == "database-socket"
    )
    assert str(settings.database).endswith(f"host={socket}")


def test_the_host_accepts_its_settings(site_with_host: Path) -> None:
    host = project(site_with_host)["services"]["host"]["environment"]
    settings = read_host(DEPLOY / "host.toml", host, Path(host["CONSOMETERS_DATA"]))
    environment = variables(site_with_host / ".env")
    assert settings.name == environment["HOST_NAME"]
    assert settings.domain == environment["HOST_DOMAIN"]
    assert settings.component.proof == environment["COLLECTIVE_DOMAIN"]
    assert settings.page.url == f"https://{environment['HOST_DOMAIN']}"


def test_the_secret_of_the_component_is_prosody_s_and_the_host_s(site_with_host: Path) -> None:
    mounted = {
        name: {str(each["source"]) for each in mounts(service)}
        for name, service in project(site_with_host)["services"].items()
    }
    assert {name for name, volumes in mounted.items() if "host-secrets" in volumes} == {
        "prosody",
        "host",
    }
    assert mounted["host"] == {"host-data", "host-secrets"}


@pytest.mark.parametrize(
    ("profiles", "left_out"), [("collective", {"host"}), ("host", {"node", "postgresql"})]
)
def test_profiles_choose_what_runs(site_with_host: Path, profiles: str, left_out: set[str]) -> None:
    everything = project(site_with_host)["services"].keys()
    environment = site_with_host / ".env"
    environment.write_text(with_profiles(environment.read_text(), profiles))
    assert everything - project(site_with_host)["services"].keys() == left_out


def override_of(service: str, page: str) -> str:
    """Return the settings of a service that a page has its operator write."""
    blocks = re.findall(r"```yaml\n(.*?)```", (DEPLOY / page).read_text(), re.DOTALL)
    (written,) = (block for block in blocks if service in yaml.safe_load(block)["services"])
    return str(written)


@pytest.mark.parametrize("page", ["README.md", "README.fr.md"])
def test_the_documented_override_gives_the_proxy_the_reader(site: Path, page: str) -> None:
    override = site / "compose.override.yaml"
    override.write_text(override_of("proxy", page))
    run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", override)
    (volume,) = yaml.safe_load(override.read_text())["services"]["proxy"]["volumes"]
    source, target, mode = volume.split(":")
    assert (source, mode) == ("./reader", "ro")
    assert f"root * {target}\n" in (DEPLOY / "proxy" / "Caddyfile").read_text()


@pytest.mark.parametrize("page", ["README.md", "README.fr.md"])
def test_the_documented_override_publishes_metrics_on_loopback(site: Path, page: str) -> None:
    written = override_of("node", page)
    override = site / "compose.override.yaml"
    override.write_text(written)
    run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", override)
    node = yaml.safe_load(written)["services"]["node"]
    environment = project(site)["services"]["node"]["environment"]
    texts = {name: str(value) for name, value in environment.items()}
    settings = read(DEPLOY / "collective.toml", texts)
    assert settings.metrics is not None
    # It listens to what is published of it, which nobody outside of the machine reaches.
    assert settings.metrics.host == "0.0.0.0"
    assert node["ports"] == [f"127.0.0.1:{settings.metrics.port}:{settings.metrics.port}"]
    assert f"http://127.0.0.1:{settings.metrics.port}/metrics" in written
    # A port is open only where a network leads outside.
    networks = yaml.safe_load((site / "compose.yaml").read_text())["networks"]
    assert not all((networks[network] or {}).get("internal") for network in node["networks"])


def test_only_the_proxy_s_header_identifies_visitors(site: Path) -> None:
    composed = project(site)
    (network,) = composed["networks"]["inside"]["ipam"]["config"]
    assert "inside" in composed["services"]["proxy"]["networks"]
    node = composed["services"]["node"]["environment"]
    page = read(DEPLOY / "collective.toml", node).page
    assert page.proxies == (ip_network(network["subnet"]),)


def test_pages_have_the_name_of_the_certificate_only(site: Path) -> None:
    services = project(site)["services"]
    page = read(DEPLOY / "collective.toml", services["node"]["environment"]).page
    assert page.names == (services["proxy"]["environment"]["DOMAIN"],)


def test_only_the_needed_ports_are_published(site_with_host: Path) -> None:
    services = project(site_with_host)["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "proxy": ["80:80", "443:443", "443:443/udp"],
        "prosody": ["5222:5222", "5223:5223", "5269:5269"],
    }
    assert services["node"]["networks"] == services["host"]["networks"] == ["inside"]
    assert services["postgresql"]["network_mode"] == "none"


def test_services_run_with_least_privilege(site_with_host: Path) -> None:
    for name, service in project(site_with_host)["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        user, _, group = service["user"].partition(":")
        assert int(user) > 0, name
        assert int(group) > 0, name
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name
        assert service["healthcheck"]["start_interval"] == "2s", name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name
        if "build" in service:
            assert image(DEPLOY / "Dockerfile", service["build"]["target"]).user == service["user"]


def test_files_copied_into_an_image_are_in_the_build_context() -> None:
    written = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    sent = [Path(line.removeprefix("!")) for line in ignored if line.startswith("!")]
    sources = re.findall(r"--mount=type=bind,source=([^,\s]+)", written)
    for line in re.findall(r"^COPY (?!--)(.+)$", written, re.MULTILINE):
        sources += line.split()[:-1]
    assert sources
    assert [each for each in sources if not (ROOT / each).exists()] == []
    assert [each for each in sources if not any(Path(each).is_relative_to(it) for it in sent)] == []


def test_the_image_installs_the_tested_versions() -> None:
    def pins(file: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==([\w.!+]+)", file.read_text(), re.MULTILINE))

    shipped = pins(DEPLOY / "requirements.txt")
    assert pins(ROOT / "addon" / "requirements.txt").items() <= shipped.items()
    assert shipped.items() <= pins(ROOT / "requirements" / "dev.txt").items()
    for asked in PROJECT["optional-dependencies"]["collective"]:
        assert re.split(r"[\[<>=]", asked)[0] in shipped


def test_the_images_of_server_and_app_have_different_names(site_with_host: Path) -> None:
    app = yaml.safe_load((ROOT / "addon/config.yaml").read_text())["image"].rpartition("/")[2]
    composed = project(site_with_host)
    # Compose names an image after the project and the service by default: the app's name here.
    names = {
        service.get("image", f"{composed['name']}-{name}")
        for name, service in composed["services"].items()
    }
    assert len(names) == len(composed["services"])
    assert app not in names


def test_no_file_looks_like_the_configuration_of_an_app() -> None:
    files = [file for file in DEPLOY.rglob("config.*") if file.suffix in {".yaml", ".yml", ".json"}]
    assert files == []


def test_images_agree_on_the_folders_of_volumes(site_with_host: Path) -> None:
    volumes: dict[str, set[Folder | None]] = {}
    for service in project(site_with_host)["services"].values():
        if "build" in service:
            folders = image(DEPLOY / "Dockerfile", service["build"]["target"]).folders
            for mounted in mounts(service):
                if not mounted.get("volume", {}).get("nocopy"):
                    volumes.setdefault(mounted["source"], set()).add(folders.get(mounted["target"]))
    collective = {"certificates", "accounts", "secrets", "data"}
    assert volumes.keys() == {*collective, "host-data", "host-secrets"}
    for volume, folders_of_it in volumes.items():
        assert len(folders_of_it) == 1, volume
        assert None not in folders_of_it, volume


def recorder(site: Path, script: str) -> dict[str, str]:
    """Return the variables under which `docker` writes down what it is asked, and does that."""
    program = site / "docker"
    program.write_text(f'#!/bin/bash\necho "$*" >>{site}/asked\n{script}\n')
    program.chmod(0o755)
    for name in ("backup", "common", "restore"):
        shutil.copy(DEPLOY / name, site / name)
    return {"PATH": f"{site}:{os.environ['PATH']}"}


def asked(site: Path) -> list[str]:
    return (site / "asked").read_text().splitlines()


RUNNING = "compose ps --format {{.Service}}"
"""How the scripts ask what runs."""


@pytest.mark.parametrize(("language", "problem"), [("en", "has no"), ("fr", "ne contient pas")])
def test_an_incomplete_backup_is_not_restored(tmp_path: Path, language: str, problem: str) -> None:
    (tmp_path / "database.dump").write_text("half of it")
    done = ended(DEPLOY / "restore", tmp_path, COLLECTIVE_LANGUAGE=language)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path} {problem} accounts.tar")


def test_restore_builds_the_image_before_it_replaces_data(site: Path) -> None:
    """Else a newer image would alter the database of an older version again."""
    backup = site / "backups" / "2026-11-26T031500Z"
    backup.mkdir(parents=True)
    for name in ("database.dump", "accounts.tar"):
        (backup / name).write_text("all of it")
    run(site / "restore", backup, **recorder(site, "cat >/dev/null"))
    first, *others = asked(site)
    assert first == "compose build"
    assert others[0] == "compose stop node prosody"
    assert others[-3:] == ["compose up --detach --wait", RUNNING, RUNNING]

    (site / "asked").unlink()
    done = ended(site / "restore", backup, **recorder(site, "exit 17"))
    assert done.returncode == 17
    assert asked(site) == ["compose build"]


WRITES = "[[ $* != *tar* ]] || head --bytes=10240 /dev/zero"
CHANGED, FAILED = "[[ $* != *tar* ]] || exit 1", "[[ $* != *tar* ]] || exit 2"
ONCE = "[[ $* != *tar* || -e once ]] || { touch once; exit 1; }"


@pytest.mark.parametrize(
    ("script", "tries", "is_made"),
    [
        pytest.param(WRITES, 1, True, id="nobody writes"),
        pytest.param(f"{WRITES}; {ONCE}", 2, True, id="somebody writes once"),
        pytest.param(f"{WRITES}; {CHANGED}", 3, True, id="somebody always writes"),
        pytest.param(CHANGED, 3, False, id="Prosody does not run"),
        pytest.param(f"{WRITES}; {FAILED}", 1, False, id="tar fails"),
    ],
)
def test_a_backup_is_made_while_prosody_writes(
    site: Path, script: str, tries: int, is_made: bool
) -> None:
    done = ended(site / "backup", **recorder(site, script))
    assert len([each for each in asked(site) if " tar " in each]) == tries
    folders = [each.name for each in (site / "backups").iterdir() if each.is_dir()]
    if is_made:
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"backups/{folders[0]}\n"
        assert len(folders) == 1
    else:
        assert done.returncode == 1
        assert done.stderr.endswith("aucune sauvegarde n’a été faite.\n")
        assert folders == []


NODE_RUNS = "[[ $* != *' ps '* ]] || echo node"


def test_a_backup_reports_a_stopped_node(site: Path) -> None:
    """As a planned move makes its last one."""
    done = ended(site / "backup", **recorder(site, WRITES))
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("Le nœud est arrêté : ") for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) == 2


def test_a_running_node_that_fails_is_not_reported_as_stopped(site: Path) -> None:
    refuses = "[[ $* != *' node '* ]] || { echo the disk is full >&2; exit 1; }"
    done = ended(site / "backup", "ended", **recorder(site, f"{NODE_RUNS}; {refuses}"))
    assert done.returncode == 1
    assert done.stderr == "the disk is full\nended.jsonl n’a pas pu être copié.\n"
    assert not (site / "backups" / "ended.part").exists()
    (site / "backups" / "2026-11-26T031500Z").mkdir()
    notes = f"{NODE_RUNS}; [[ $* != *note* ]] || {{ echo the disk is full >&2; exit 1; }}"
    done = ended(site / "backup", "ended", **recorder(site, notes))
    assert "the disk is full\nLe nœud n’a pas pu noter cette sauvegarde" in done.stderr


def test_a_node_that_docker_lists_before_others_is_not_reported_as_stopped(site: Path) -> None:
    slowly = "[[ $* != *' ps '* ]] || for each in node postgresql; do echo $each; sleep 0.2; done"
    done = ended(site / "backup", "ended", **recorder(site, slowly))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_test_restore_finds_the_account_of_the_node_among_many(site: Path) -> None:
    """The listing is longer than a pipe holds."""
    backup = site / "backups" / "2026-11-26T031500Z"
    backup.mkdir(parents=True)
    (backup / "database.dump").write_text("all of it")
    (backup / "counts").touch()
    with tarfile.open(backup / "accounts.tar", "w") as archive:
        for name in ("collective", *(f"home%2d{n:090}" for n in range(2_000))):
            archive.addfile(tarfile.TarInfo(f"./energies%2etest/accounts/{name}.dat"))
    done = ended(site / "backup", "test", **recorder(site, f"{NODE_RUNS}; cat >/dev/null"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "peut être restaurée" in done.stdout


ENDED = """[[ $* != *" sh -c "* ]] || head --bytes=100000 /dev/zero | tr '\\0' '}'"""
DUMP = "[[ $* != *psql* ]] || head --bytes=10000000 /dev/zero"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        pytest.param(ENDED, "ended", id="the list of ends"),
        pytest.param(DUMP, "", id="the database"),
        pytest.param("[[ $* != *tar* ]] || yes | head --bytes=10000000", "", id="accounts"),
    ],
)
def test_a_full_disk_is_named_and_nothing_half_done_remains(
    site: Path, script: str, word: str
) -> None:
    with small_disk(site / "backups", 1) as disk:
        if disk is None:
            pytest.skip("only root can mount a disk that gets full")
        (disk / "ended.jsonl").write_text('{"permission": "a"}\n')
        if word:
            fill(disk)
        done = ended(
            site / "backup",
            *([word] if word else []),
            **recorder(site, f"{NODE_RUNS}; {script}"),
        )
        assert done.returncode != 0
        assert done.stderr.endswith("Le disque est plein. Libérez de la place, puis réessayez.\n")
        assert "arrêté" not in done.stderr
        left = {file.name for file in disk.iterdir()}
        assert left - {".lock", "filler"} == {"ended.jsonl"}
        assert (disk / "ended.jsonl").read_text() == '{"permission": "a"}\n'
