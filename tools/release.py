"""What a release is made of: its checks, then its files. See script/release --help."""

import argparse
import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
import gzip
import io
from itertools import pairwise
import json
import os
from pathlib import Path
import re
import shutil
from struct import pack
import subprocess
import sys
import tarfile
from tempfile import TemporaryDirectory
import tomllib
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_STORED, ZipFile
from zlib import crc32

from babel.messages.pofile import read_po
from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
import yaml  # type: ignore[import-untyped]

from .catalogue import sentences, translated, written

ROOT: Final = Path(__file__).parents[1]
INTEGRATION: Final = "custom_components/consometers"
CATALOGUE: Final = "addon/consometers_node/i18n/locale/fr/LC_MESSAGES/consometers.po"
LIBRARIES: Final = ("conformance", "enedis_files", "protected_sums", "quoalise", "tic")
"""What others build on: folders of packages/, each released as a wheel and an sdist."""
CHANGELOGS: Final = (
    *("CHANGELOG.md", "CHANGELOG.fr.md", "addon/CHANGELOG.md"),
    *(f"packages/{library}/CHANGELOG.md" for library in LIBRARIES),
)
PROJECTS: Final = (
    "addon/pyproject.toml",
    *(f"packages/{library}/pyproject.toml" for library in LIBRARIES),
)
IMAGES: Final = {
    "consometers-node": "addon/requirements.txt",
    "consometers-collective": "deploy/requirements.txt",
}
"""The program's images, and what each installs beside what pages load."""
DOCKERFILES: Final = ("addon/Dockerfile", "deploy/Dockerfile")
COMPOSE: Final = "deploy/compose.yaml"
_BLOCK: Final = 0xFFFF
"""Bytes of a block of DEFLATE that is stored."""
_GZIP_HEADER: Final = b"\x1f\x8b\x08" + 6 * b"\0" + b"\xff"
_LINUX: Final = {"sys_platform": "linux", "implementation_name": "cpython"}


def problems(root: Path, version: str) -> Iterator[str]:
    """Yield what stands against a release, each with what to do about it."""
    if re.fullmatch(r"\d+\.\d+\.\d+", version) is None:
        yield f"{version} is no version: write it as 1.2.3."
        return
    for file, its_version in versions(root).items():
        if its_version != version:
            yield f"{file} has version {its_version}: set it to {version}."
    for file in CHANGELOGS:
        heading, section = latest_section(root / file)
        if not re.fullmatch(rf"{re.escape(version)} – \d{{4}}-\d\d-\d\d", heading):
            yield f"{file} begins with “{heading}”: write “{version} – ” and the date there."
        elif not section:
            yield f"{file} says nothing about {version}: write what changes for people."
    yield from _untranslated(root)
    for file, image in images(root):
        if re.search(r"@sha256:[0-9a-f]{64}$", image) is None:
            yield f"{file} takes {image} by its name: add its digest, as renovate proposes."
    if changes := _git(root, "status", "--porcelain"):
        yield f"the checkout has changes: commit or remove them.\n{changes}"
    tagged = _git(root, "tag", "--list", "--format=%(objectname) %(*objectname)", f"v{version}")
    if tagged and _git(root, "rev-parse", "HEAD") not in tagged.split():
        yield f"the tag v{version} is another commit’s: take the next version."


def versions(root: Path) -> dict[str, str]:
    """Return the version that each file says, which is the same in all of them."""
    return {
        f"{INTEGRATION}/manifest.json": _json(root / INTEGRATION / "manifest.json")["version"],
        "addon/config.yaml": _yaml(root / "addon/config.yaml")["version"],
        **{file: _project(root / file)["version"] for file in PROJECTS},
    }


def images(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the name of each image that others are made of, or that runs as it is."""
    for file in DOCKERFILES:
        for image in re.findall(r"(?m)^FROM (?:--\S+ )?(\S+)", (root / file).read_text()):
            yield file, image
    for service in _yaml(root / COMPOSE)["services"].values():
        if "build" not in service:
            yield COMPOSE, service["image"]
    for path in sorted((root / ".github/workflows").iterdir()):
        for job in _yaml(path)["jobs"].values():
            if "container" in job:
                yield str(path.relative_to(root)), job["container"]["image"]


def latest_section(changelog: Path) -> tuple[str, str]:
    """Return the heading of a changelog's newest version, and what stands below it."""
    _, _, rest = changelog.read_text(encoding="utf-8").partition("\n## ")
    section, _, _ = rest.partition("\n## ")
    heading, _, text = section.partition("\n")
    return heading, text.strip()


def notes(root: Path, version: str) -> str:
    """Return what the page of a release says, in both languages."""
    place = f"{_json(root / INTEGRATION / 'manifest.json')['documentation']}/blob/v{version}"
    english, french = (
        _for_page_of_release(latest_section(root / file)[1], place) for file in CHANGELOGS[:2]
    )
    return f"*[En français](#en-français)*\n\n{english}\n\n## En français\n\n{french}\n"


def _for_page_of_release(section: str, place: str) -> str:
    # The page is in no folder, and ends a line where the text does.
    return re.sub(r"\n +(?=\S)", " ", re.sub(r"\]\((?!https://|#)", rf"]({place}/", section))


def make(root: Path, version: str, folder: Path) -> None:
    """Write a release's files into a new folder, each the same whenever its commit is."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    at = int(_git(root, "show", "--no-patch", "--format=%ct", "HEAD"))
    # Stored: what compresses differs from machine to machine.
    archive = ("archive", "--format=zip", "-0", f"--mtime=@{at}")
    _git(root, *archive, f"--output={folder}/consometers.zip", f"HEAD:{INTEGRATION}")
    for library in LIBRARIES:
        build(root / "packages" / library, at, folder)
    for image in IMAGES:
        bom = bill_of_materials(root, image, version, datetime.fromtimestamp(at, UTC))
        path = folder / f"{image}.cdx.json"
        path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n", encoding="utf-8")
    (folder / "notes.md").write_text(notes(root, version), encoding="utf-8")


def build(library: Path, at: int, folder: Path) -> None:
    """Write a library's sdist into a folder, and the wheel that the sdist makes elsewhere."""
    project = _project(library / "pyproject.toml")
    release = f"{project['name'].replace('-', '_')}-{project['version']}"
    with TemporaryDirectory() as there:
        _build(library, "sdist", at, there)
        archive = gzip.decompress(Path(there, f"{release}.tar.gz").read_bytes())
        (folder / f"{release}.tar.gz").write_bytes(_stored(archive))
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(there, filter="data")
        _build(Path(there, release), "wheel", at, there)
        wheel = f"{release}-py3-none-any.whl"
        with ZipFile(Path(there, wheel)) as packed, ZipFile(folder / wheel, "w") as stored:
            for entry in packed.infolist():
                stored.writestr(entry, packed.read(entry), ZIP_STORED)


def _build(source: Path, target: str, at: int, folder: str) -> None:
    subprocess.run(
        (sys.executable, "-P", "-m", "hatchling", "build", "--target", target, "-d", folder),
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(at)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _stored(content: bytes) -> bytes:
    """Return a gzip file that compresses nothing."""
    ends = [*range(_BLOCK, len(content), _BLOCK), len(content)]
    blocks = b"".join(
        pack("<?HH", end == len(content), size := end - start, size ^ 0xFFFF) + content[start:end]
        for start, end in pairwise((0, *ends))
    )
    return _GZIP_HEADER + blocks + pack("<II", crc32(content), len(content))


def bill_of_materials(root: Path, image: str, version: str, at: datetime) -> Bom:
    """Return the packages that go into an image, with the hashes that they are checked by."""
    itself = Component(name=image, version=version, type=ComponentType.CONTAINER, bom_ref=image)
    packages = [
        *_of_python((root / IMAGES[image]).read_text()),
        *_of_npm(_json(root / "addon/package-lock.json")),
    ]
    bom = Bom(
        components=packages,
        metadata=BomMetaData(component=itself, timestamp=at),
        serial_number=uuid5(NAMESPACE_URL, f"{image}:{version}"),
    )
    bom.register_dependency(itself, packages)
    return bom


def _of_python(requirements: str) -> Iterator[Component]:
    for line in requirements.replace("\\\n", "").splitlines():
        pinned, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(pinned)
        if requirement.marker is None or requirement.marker.evaluate(_LINUX):
            version = str(requirement.specifier).removeprefix("==")
            yield _package("pypi", requirement.name, version, hashes)


def _of_npm(lock: Mapping[str, Any]) -> Iterator[Component]:
    for path, package in lock["packages"].items():
        if path:
            algorithm, _, digest = package["integrity"].partition("-")
            hashes = [f"{algorithm}:{base64.b64decode(digest).hex()}"]
            yield _package("npm", path.rpartition("node_modules/")[2], package["version"], hashes)


def _package(registry: str, name: str, version: str, hashes: list[str]) -> Component:
    purl = PackageURL(registry, name=name, version=version)
    return Component(
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        hashes=map(HashTypeFactory().from_composite_str, hashes),
    )


def _untranslated(root: Path) -> Iterator[str]:
    source = (root / CATALOGUE).read_text(encoding="utf-8")
    if written(source, sentences(root / "addon/consometers_node")) != source:
        yield f"{CATALOGUE} is out of date: run python -m tools.catalogue."
    with (root / CATALOGUE).open("rb") as file:
        missing = [entry.id for entry in read_po(file) if entry.id and not all(translated(entry))]
    if missing:
        yield f"{CATALOGUE} lacks the French of {missing}."
    for english, french in (
        (f"{INTEGRATION}/translations/en.json", f"{INTEGRATION}/translations/fr.json"),
        ("addon/translations/en.yaml", "addon/translations/fr.yaml"),
    ):
        # JSON is YAML.
        difference = _keys(_yaml(root / english)) ^ _keys(_yaml(root / french))
        if difference:
            yield f"{english} or {french} lacks {', '.join(sorted(difference))}."


def _keys(texts: Mapping[str, Any], above: str = "") -> set[str]:
    return {
        name
        for key, value in texts.items()
        for name in (
            _keys(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"}
        )
    }


def _project(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _git(root: Path, *command: str) -> str:
    # A zip has times of the clock on the wall, which is another one elsewhere.
    run = subprocess.run(
        ["env", "TZ=UTC", "git", *command], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return run.stdout.strip()


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Check a release, then make it."""
    parser = argparse.ArgumentParser(
        prog="script/release",
        description="Checks that a version can be released, then makes its files in dist/: the"
        " integration's zip, the libraries' wheels and sdists, bills of materials (CycloneDX), the"
        " notes in both languages; and the add-on's image, where there is a docker.",
    )
    parser.add_argument("version", help="such as 1.2.3, or its tag, v1.2.3")
    parser.add_argument("--check", action="store_true", help="check alone")
    parser.add_argument("--no-image", action="store_true", help="make the files alone")
    options = parser.parse_args(arguments)
    version = options.version.removeprefix("v")
    against = list(problems(root, version))
    for problem in against:
        print(f"script/release: {problem}", file=sys.stderr)
    if against or options.check:
        return 1 if against else 0
    make(root, version, root / "dist")
    for path in sorted((root / "dist").iterdir()):
        print(path.relative_to(root))
    if options.no_image:
        return 0
    if shutil.which("docker") is None:
        print("script/release: there is no docker, so no image was made.", file=sys.stderr)
        return 0
    command = (str(root / "script/image"), f"consometers-node:{version}")
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
