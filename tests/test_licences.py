"""Claims about licences: the project's own is the standard text, and what it rests on at run time allows it."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

HOME = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").exists())
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""The SHA-256 of the licence as its authors publish it."""

LOCKED = sorted(set(re.findall(r"^([\w.-]+)==", (HOME / "requirements-image.lock").read_text("utf-8"), re.MULTILINE)))
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF-2\.0")
WEAK_COPYLEFT = {
    "certifi": "MPL-2.0: a list of certificates, given on unchanged; beneath the extra `telemetry`",
    "pathspec": "MPL-2.0: its own files stay under it",
    "psycopg": "LGPL-3.0-only: imported unchanged, and may be replaced",
    "psycopg-binary": "LGPL-3.0-only: likewise",
    "psycopg-pool": "LGPL-3.0-only: likewise",
    "pyphen": "MPL-1.1, of the three it may be had under",
}
UNSAID = {"pysqlite3": "zlib/libpng, in its LICENSE; its metadata name none"}


def licence_of(package: str) -> str:
    """What a package's metadata say of its licence. Raises `PackageNotFoundError` for what this platform lacks."""
    said = metadata(package)
    classified = [kind for kind in said.get_all("Classifier") or [] if kind.startswith("License ::")]
    return " ".join([said["License-Expression"] or "", (said["License"] or "").partition("\n")[0], *classified])


def test_the_licence_is_the_standard_text_and_the_one_that_is_declared():
    project = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))["project"]
    assert hashlib.sha256((HOME / "LICENSE").read_bytes()).hexdigest() == APACHE_2
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])


def installed(packages: list[str]) -> Iterator[tuple[str, str]]:
    """Each package that this platform has, and its licence; the lock names some for others."""
    for package in packages:
        with suppress(PackageNotFoundError):
            yield package, licence_of(package)


INSTALLED = dict(installed(LOCKED))


def test_the_licences_of_nearly_all_that_is_locked_are_known_here():
    assert len(LOCKED) - len(INSTALLED) <= 3, set(LOCKED) - set(INSTALLED)


@pytest.mark.parametrize("package", INSTALLED)
def test_what_the_project_rests_on_allows_its_licence(package: str):
    licence = INSTALLED[package]
    is_free = PERMISSIVE.search(licence) is not None and "GPL" not in licence
    assert is_free is (package not in WEAK_COPYLEFT and package not in UNSAID), licence


def test_the_image_is_built_from_files_that_reach_it():
    """`.dockerignore` lets through what the Dockerfile copies, the licence that is declared among it."""
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (HOME / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    let_through = re.findall(r"^!(\S+)$", (HOME / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert {file for line in copied for file in line.split()} == set(let_through)
    assert "LICENSE" in let_through
