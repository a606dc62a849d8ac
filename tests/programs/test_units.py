"""What systemd is given: units that it takes, hardened, running commands that there are; and compose's file."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from service.command_line import app
from service.settings import Settings
from tests.programs.test_readme import ROOT

UNITS = ROOT / "deploy" / "systemd"
RUN = sorted(path.name for path in UNITS.glob("microfund*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
MOST_EXPOSED = 1.5
"""Of 10; systemd calls up to 2 "safe" or "ok"."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine on which they are installed as `docs/operators.md` says, and systemd's own targets."""
    at = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, at)
    for target in Path("/usr/lib/systemd/system").glob("*.target"):
        shutil.copy(target, at / target.name)
    for program in ("opt/microfund/bin/microfund", "etc/microfund/alarm"):
        file = tmp_path / program
        file.parent.mkdir(parents=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    return tmp_path


def analyze(machine: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", f"--root={machine}", "--no-pager", *words], capture_output=True, text=True, check=False
    )


def verified(machine: Path) -> subprocess.CompletedProcess[str]:
    return analyze(
        machine, "verify", "--man=no", *(str(machine / "etc/systemd/system" / unit) for unit in RUN + TIMERS)
    )


@needs_systemd
def test_systemd_finds_nothing_wrong(machine: Path) -> None:
    said = verified(machine)
    assert (said.returncode, said.stderr) == (0, "")


@needs_systemd
def test_a_misspelt_setting_would_be_found(machine: Path) -> None:
    unit = machine / "etc/systemd/system/microfund.service"
    unit.write_text(unit.read_text().replace("RestartSec", "RestartSeconds"))
    assert "RestartSeconds" in verified(machine).stderr


@needs_systemd
@pytest.mark.parametrize("unit", RUN)
def test_whatever_runs_is_hardened(machine: Path, unit: str) -> None:
    limit = f"--threshold={int(MOST_EXPOSED * 10)}"
    said = analyze(machine, "security", "--offline=true", limit, unit)
    assert said.returncode == 0, said.stdout
    (machine / "etc/systemd/system/microfund.service.d/hardening.conf").unlink()
    (machine / "etc/systemd/system/microfund-.service.d/hardening.conf").unlink()
    assert analyze(machine, "security", "--offline=true", limit, unit).returncode == 1


def test_units_run_commands_that_there_are_and_every_timer_has_its_service() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert [f"microfund{name}.service" for name in ("-backup", "-doctor", "-drill", "")] == RUN
    assert {Path(timer).stem for timer in TIMERS} == {Path(unit).stem for unit in RUN} - {"microfund"}
    for unit in RUN:
        (line,) = re.findall(r"^ExecStart=/opt/microfund/bin/microfund (.*)$", (UNITS / unit).read_text(), re.MULTILINE)
        command, *words = shlex.split(line)
        commands[command].make_context(command, words)


def test_the_environment_names_settings_that_there_are() -> None:
    given = dict(
        line.split("=", 1)
        for line in (ROOT / "deploy" / "microfund.env").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    named = {name.removeprefix("MICROFUND_").lower(): value for name, value in given.items()}
    assert set(named) <= set(Settings.model_fields)
    Settings.model_validate(named)


@pytest.mark.skipif(
    subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0
    if shutil.which("docker")
    else True,
    reason="docker compose is not installed",
)
def test_compose_takes_its_file() -> None:
    ran = subprocess.run(
        ["docker", "compose", "--file", ROOT / "docker-compose.yml", "config", "--quiet"],
        env={"POSTGRES_PASSWORD": "a1", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
