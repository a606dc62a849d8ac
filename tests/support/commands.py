"""The command line, run in the test's own process, where starting a new one is not what is claimed."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from typing import NamedTuple

import pytest

from service.command_line import main
from tests.support.keys import key_for


class Said(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def command(database_url: str, *words: str, **environment: str) -> Said:
    """What `microfund` with these words and this environment answers."""
    given = {"MICROFUND_DATABASE": database_url, **environment}
    if "MICROFUND_REGISTER_KEY" not in given:
        given["MICROFUND_REGISTER_KEY"] = str(key_for(database_url))
    results, errors = TextIOWrapper(BytesIO(), "utf-8"), StringIO()
    with pytest.MonkeyPatch.context() as typed, redirect_stdout(results), redirect_stderr(errors):
        for name, value in given.items():
            typed.setenv(name, value)
        typed.setattr(sys, "argv", ["microfund", *words])
        with pytest.raises(SystemExit) as end:
            main()
    results.seek(0)
    return Said(int(end.value.code or 0), results.read(), errors.getvalue())
