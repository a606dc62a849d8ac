"""Claims about what the demo says at its end: its ways to the report work as they are printed."""

import shutil
import subprocess
from datetime import date
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from service.access.operator import Operator
from service.demo.diary import instant
from service.demo.reporting import ways_to_the_report
from tests.programs.test_readme import environment, served
from tests.support.demo import filled
from tests.support.tables import following

TODAY = date(2025, 1, 20)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_demo_prints_a_command_and_a_call_that_make_the_files_of_the_last_half_year(tmp_path: Path) -> None:
    made = filled(f"sqlite:///{tmp_path / 'microfund.db'}", TODAY, clubs=2, since=date(2024, 10, 1))
    following(made.ledger).rebuild()
    reporter = made.summary.principals[2]
    token = Operator(made.ledger, lambda: instant(TODAY, 9)).issue_token(reporter)
    made.ledger.close()
    with served(tmp_path) as server:
        for way in ways_to_the_report(TODAY, server, token):
            subprocess.run(["bash", "-c", way], cwd=tmp_path, env=environment(), check=True)

    assert min(reporter.roles) == "reporter"
    for name, part in (("report.docx", "word/document.xml"), ("report.xlsx", "xl/sharedStrings.xml")):
        said = ZipFile(BytesIO((tmp_path / name).read_bytes())).read(part).decode()
        assert "2024" in said
        assert "Vân Nham" in said
