"""What tests of papers and of reports share: whether PDFs can be laid out here, and read back."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def laid_out_and_read_back() -> None:
    """Skips where pdftotext or WeasyPrint is missing; looked up by who needs it, for to import it takes a second."""
    if os.environ.get("CI") != "true" and not (shutil.which("pdftotext") and _lays_out()):
        pytest.skip("pdftotext, or WeasyPrint with Pango beneath it, is not installed here")


def _lays_out() -> bool:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True
