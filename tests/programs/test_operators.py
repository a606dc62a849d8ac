"""The operator's first hour: what can be tried without a machine of its own is; it names only files and commands that
there are, and a release has them all."""

import re
import shlex
import shutil
import subprocess
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from service.command_line import app
from tests.programs.test_readme import ROOT, environment
from tests.support.service import House

GUIDE = (ROOT / "docs" / "operators.md").read_text("utf-8")
TYPED = "".join(re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
SHARED = "/opt/microfund/share/microfund/"


def parsed(words: list[str]) -> Any:
    """The innermost command that words call, with what they give it."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command.make_context(command.name, words)


def test_the_version_is_one(village: House) -> None:
    said = subprocess.run(["microfund", "--version"], env=environment(), capture_output=True, text=True, check=True)
    assert said.stdout == f"microfund {VERSION}\n"
    assert version("microfund") == VERSION
    told = re.findall(r'^microfund_build_info{.*version="([^"]+)"', village.client.get("/metrics").text, re.MULTILINE)
    assert told == [VERSION]
    assert set(re.findall(r"microfund-(\d+\.\d+\.\d+)", GUIDE)) == {VERSION}


def test_the_guide_types_only_commands_and_files_that_there_are() -> None:
    commands = re.findall(r"(?:^|\()microfund ((?:[^\n()|]|\"[^\"]*\")+?)\)?(?: \|\| true)?$", TYPED, re.MULTILINE)
    for line in commands:
        parsed(shlex.split(line.partition(" > ")[0]))
    assert len(commands) >= 5
    files = re.findall(rf"{SHARED}([^\s]+)", TYPED)
    assert [file for file in files if not (ROOT / "deploy" / file).exists()] == []
    units = re.findall(r"(microfund[\w-]*\.(?:timer|service))", TYPED)
    assert [unit for unit in units if not (ROOT / "deploy" / "systemd" / unit).exists()] == []
    assert len(files) >= 4
    assert len(units) >= 3


def test_a_command_that_is_not_there_would_be_found() -> None:
    with pytest.raises((KeyError, click.ClickException)):
        parsed(["tokens", "list"])


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_what_the_guide_makes_of_its_file(tmp_path: Path) -> None:
    (sed,) = re.findall(r"^sed .* > /etc/nginx/conf.d/microfund.conf$", TYPED, re.MULTILINE)
    made = tmp_path / "microfund.conf"
    typed = sed.replace(SHARED, f"{ROOT / 'deploy'}/").replace("/etc/nginx/conf.d/microfund.conf", str(made))
    subprocess.run(["sh", "-c", typed], check=True)
    (openssl,) = re.findall(r"^openssl .*$", TYPED, re.MULTILINE)
    keys = {
        "/etc/ssl/private/microfund.key": tmp_path / "key",
        "/etc/ssl/certs/microfund.pem": tmp_path / "certificate",
    }
    said = made.read_text()
    for place, here in keys.items():
        openssl, said = openssl.replace(place, str(here)), said.replace(place, str(here))
    subprocess.run(["sh", "-c", openssl], check=True, capture_output=True)
    made.write_text(said.replace("/var/log/nginx/", f"{tmp_path}/"))
    assert re.findall(r"^    server .*;$", said, re.MULTILINE) == [
        "    server 127.0.0.1:8000 max_fails=1 fail_timeout=5s;"
    ]
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{ }} http {{ include {made}; }}")
    start = ["nginx", "-p", str(tmp_path), "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")]
    tested = subprocess.run([*start, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr


def test_what_root_types_runs_as_the_service_on_its_books(tmp_path: Path) -> None:
    """`deploy/microfund`, with stand-ins for changing the user and for the program."""
    wrapper = (ROOT / "deploy" / "microfund").read_text()
    settings = tmp_path / "microfund.env"
    settings.write_text(f"# one\nMICROFUND_DATABASE=sqlite:///{tmp_path}/a.db\n")
    for ours, here in {
        "/etc/microfund/microfund.env": settings,
        "/var/lib/microfund": tmp_path,
        "runuser -u microfund -- /opt/microfund/bin/microfund": "env",
    }.items():
        assert ours in wrapper
        wrapper = wrapper.replace(ours, str(here))
    said = subprocess.run(["sh", "-c", wrapper], capture_output=True, text=True, check=True).stdout
    assert f"MICROFUND_DATABASE=sqlite:///{tmp_path}/a.db\n" in said
    assert f"HOME={tmp_path}\n" in said


def built(scratch: Path) -> Path:
    """A wheel of what lies here."""
    subprocess.run(
        ["hatchling", "build", "-t", "wheel", "-d", scratch],
        cwd=ROOT, env=environment() | {"SOURCE_DATE_EPOCH": "1700000000"}, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = scratch.glob("*.whl")
    return wheel


def test_a_wheel_has_every_file_and_is_the_same_whenever_it_is_built(tmp_path: Path) -> None:
    one, other = built(tmp_path / "one"), built(tmp_path / "other")
    names = set(zipfile.ZipFile(one).namelist())
    data = f"microfund-{VERSION}.data/data/share/microfund/"
    for folder, within in {"ledger": "ledger/", "service": "service/", "deploy": data}.items():
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        assert {within + str(path.relative_to(ROOT / folder)) for path in files} - names == set()
    assert one.read_bytes() == other.read_bytes()
    assert f"{data}operators.md" in names
    assert "scripts/verify_history.py" in names, "the service gives it out"
