"""What the image installs is whole, and runs with what it asks for and nothing else."""

from pathlib import Path
import subprocess
from zipfile import ZipFile

import pytest

from consometers_node.cli.app import COMMANDS
from testing.addon.installed import ADDON, PROJECT, Installed
from testing.checkout import ROOT

PACKAGES = {
    "consometers_enedis_files",
    "consometers_node",
    "consometers_protected_sums",
    "consometers_quoalise",
    "consometers_quoalise_network",
    "consometers_quoalise_xmpp",
}
VENDOR = ADDON / "consometers_node" / "web" / "static" / "vendor"


def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_contains_every_file_of_the_packages(wheel: Path) -> None:
    listed = subprocess.check_output(
        ("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES),
        text=True,
        cwd=ADDON,
    )
    links = {name for name in listed.splitlines() if (ADDON / name).is_dir()}
    files = {name for name in listed.splitlines() if (ADDON / name).is_file()}
    files |= {
        str(path.relative_to(ADDON)) for link in links for path in (ADDON / link).glob("*.py")
    }
    assert len(files) > 100
    sources = {name for name in files if name.endswith(".po")}
    files = files - sources | {name.removesuffix(".po") + ".mo" for name in sources}
    assert files <= names(wheel)
    assert not sources & names(wheel)


@pytest.mark.skipif(not VENDOR.exists(), reason="script/setup had no npm")
def test_the_wheel_contains_the_assets_of_pages_and_their_licences(wheel: Path) -> None:
    fetched = {str(path.relative_to(ADDON)) for path in VENDOR.iterdir()}
    assert {Path(name).suffix for name in fetched} == {".js", ".css", ".txt"}
    assert fetched <= names(wheel)


def test_the_wheel_contains_the_packages_only(wheel: Path) -> None:
    folders = {name.partition("/")[0] for name in names(wheel)}
    assert folders == {*PACKAGES, f"consometers_node-{PROJECT['version']}.dist-info"}
    assert not [name for name in names(wheel) if "__pycache__" in name]


def test_help_lists_the_commands(installed: Installed) -> None:
    text = installed.run("--help")
    assert [name for name in COMMANDS if name not in text] == []


def test_commands_import_from_the_installed_packages(installed: Installed) -> None:
    """But those of a collective's administration, which a home goes without."""
    modules = {f"consometers_node.cli.{entry.module}" for entry in COMMANDS.values()}
    modules.remove("consometers_node.cli.node.admins")
    python = installed.program.with_name("python")
    subprocess.run((python, "-I", "-c", f"import {', '.join(modules)}"), check=True)


def test_the_administration_names_its_missing_extra(installed: Installed) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        installed.run("admins", "list")
    assert refused.value.returncode == 1
    assert "consometers-node[collective]" in refused.value.stderr


def test_the_program_stores_its_files_in_the_given_folder(
    installed: Installed, tmp_path: Path
) -> None:
    installed.run("status", CONSOMETERS_DATA=str(tmp_path))
    assert installed.run("checkpoint", CONSOMETERS_DATA=str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"node.db", "node.reserve"}


def test_no_development_package_is_installed(installed: Installed) -> None:
    there = {path.name.partition("-")[0] for path in installed.packages.glob("*.dist-info")}
    assert "consometers_node" in there
    assert not there & {"homeassistant", "pytest", "hatchling"}
    assert ROOT not in installed.folder.parents


def test_only_the_languages_of_the_pages_are_installed(installed: Installed) -> None:
    printed = installed.python(
        "from datetime import date",
        "from consometers_node.web.core.speech import Language",
        "print(*(Language(tag).day(date(2026, 11, 28)) for tag in ('en', 'fr')), sep='\\n')",
        "print(Language('fr').gettext('on your Energy dashboard'))",
    )
    assert ["28 November" in printed, "28 novembre" in printed] == [True, True]
    assert "sur votre tableau Énergie" in printed
    locales = {file.name[:2] for file in (installed.packages / "babel/locale-data").iterdir()}
    assert locales == {"ro", "en", "fr"}


def test_the_trimmed_slixmpp_has_the_plugins_of_a_connection(installed: Installed) -> None:
    printed = installed.python(
        "import asyncio",
        "from consometers_quoalise_network import Account, Server",
        "from consometers_quoalise_xmpp.stream import Stream",
        "from slixmpp.xmlstream import cert",
        "async def main():",
        "    print(cert.HAVE_PYASN1, *Stream(Account('home@a.test', 'secret'), Server()).plugin)",
        "asyncio.run(main())",
    )
    assert {"True", "xep_0198"} <= set(printed.split())
    assert len(list(installed.packages.glob("slixmpp/plugins/xep_*"))) == 1


def test_the_app_reports_its_missing_postgresql_driver(installed: Installed) -> None:
    assert not (installed.packages / "psycopg").exists()
    done = subprocess.run(
        (installed.program, "status"),
        capture_output=True,
        text=True,
        check=False,
        env={"LANG": "en_GB.UTF-8", "CONSOMETERS_DATABASE": "postgresql:///node"},
    )
    assert done.returncode == 1
    assert "PostgreSQL needs psycopg, which is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_installed_packages_are_small(installed: Installed) -> None:
    """As pip compiles it there; the wheels are those of this machine's C library."""
    files = [file for file in installed.packages.rglob("*") if "__pycache__" not in file.parts]
    written = sum(file.stat().st_size for file in files if file.is_file())
    # Compiled without docstrings, all of Python's files take as much again.
    compiled = sum(file.stat().st_size for file in files if file.suffix == ".py")
    assert (written + compiled) / 1e6 < 60
