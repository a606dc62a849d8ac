"""Claims about commands that cannot be carried out: said in the reader's language, in the catalogue's words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ledger.sqlite_engine import sqlite
from service.access.principals import ROLES
from service.command_line import app
from service.words import catalogue
from tests.support.commands import command
from tests.support.service import FUND, house, settle_in

HOME = Path(__file__).parents[2]
LANGUAGES = ("vi", "en")

Words = tuple[str, ...]


def commands(group: Any, path: Words = ()) -> Iterator[tuple[Words, Any]]:
    """Every command with the words that call it."""
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*path, name))
        else:
            yield (*path, name), each


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the books of a fund lie."""
    home = tmp_path_factory.mktemp("village")
    with house(f"sqlite:///{home / 'fund.db'}") as running:
        settle_in(running)
    return home


def said(home: Path, words: Words, language: str, **environment: str) -> tuple[int, str]:
    """How a command ends that cannot be carried out: its exit code, and the sentence on standard error, the last line
    there; a bar may have begun above it."""
    spoken = [] if language == "vi" else ["--lang", language]
    settings = {"MICROFUND_CHECKPOINT_KEY": str(home / "key.pem"), **environment}
    ended = command(f"sqlite:///{home / 'fund.db'}", *words, *spoken, **settings)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()[-1]


# --- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_the_language(words: Words) -> None:
    assert "--lang" in {option for parameter in COMMANDS[words].params for option in parameter.opts}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_in_the_readers_language_that_it_knows_no_such_option(
    village: Path, words: Words, language: str
) -> None:
    unknown = catalogue.phrase("mistake.usage.no-option", language, name="--nonsense")
    whole = catalogue.phrase("mistake.usage.help", language, said=unknown, command=" ".join(("microfund", *words)))
    assert said(village, (*words, "--nonsense"), language) == (2, whole)


NEEDY = [words for words, each in COMMANDS.items() if any(p.required and p.name != "language" for p in each.params)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", NEEDY, ids=" ".join)
def test_every_command_that_needs_something_says_what_is_missing(village: Path, words: Words, language: str) -> None:
    exit_code, sentence = said(village, words, language)
    assert exit_code == 2
    assert sentence.startswith(catalogue.phrase("mistake.usage.missing", language, name=""))


USES = {
    ("no-command", ("audit",)): {"name": "audit"},
    ("no-command", ("token", "steal")): {"name": "steal"},
    ("needs-value", ("verify", "--all=yes")): {"name": "--all"},
    ("bad-value", ("export", FUND, "--format", "excel")): {"name": "--format", "expected": "<hledger|beancount>"},
    ("bad-value", ("checkpoint", "show", "first")): {"name": "number", "expected": "<int range>"},
    ("bad-value", ("serve", "--port", "0")): {"name": "--port", "expected": "<int range>"},
    ("too-much", ("rebuild", "now")): {},
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use[0]}-{' '.join(use[1])}")
def test_wrong_use_is_said_in_the_catalogues_words(village: Path, use: tuple[str, Words], language: str) -> None:
    code, words = use
    exit_code, sentence = said(village, words, language)
    assert exit_code == 2
    assert sentence.startswith(catalogue.phrase(f"mistake.usage.{code}", language, **USES[use]))


# --- what cannot be done ----------------------------------------------------------------------------------------------

ISSUE = ("token", "issue", "--name", "N")
MISTAKES: dict[tuple[str, Words], dict[str, Any]] = {
    ("command.no-fund", ("history", "LS-KHONG")): {"fund": "LS-KHONG"},
    ("command.no-fund", ("verify", "LS-KHONG")): {"fund": "LS-KHONG"},
    ("command.no-fund", ("flags", "LS-KHONG")): {"fund": "LS-KHONG"},
    ("command.no-fund", ("export", "LS-KHONG")): {"fund": "LS-KHONG"},
    ("command.no-fund", ("diff", "LS-KHONG", "2024-06-15")): {"fund": "LS-KHONG"},
    ("command.what-to-verify", ("verify",)): {},
    ("command.paper-of-one", ("verify", "--all", "--voucher", "PT-2024-0001")): {},
    ("command.not-as-printed", ("verify", FUND, "--code", "AAAA")): {"option": "--code"},
    ("command.code-or-head", ("verify", FUND, "--code", "AAAA-AAAA-AAAA-AAAA", "--head", "0" * 64)): {},
    ("command.what-flags", ("flags",)): {},
    ("command.day", ("sample", FUND, "--seed", "XSMB-1", "--from", "hôm qua")): {"text": "hôm qua"},
    ("command.instant", ("history", FUND, "--known-at", "hôm qua")): {"text": "hôm qua"},
    ("command.point", ("diff", FUND, "2024-06-15@soon")): {"text": "2024-06-15@soon"},
    ("command.seed", ("sample", "--seed", "không")): {},
    ("command.not-intact", ("sample", "LS-KHONG", "--seed", "XSMB-1")): {"what": "LS-KHONG"},
    ("command.no-checkpoint", ("checkpoint", "show", "7")): {"number": 7},
    ("command.key-elsewhere", ("checkpoint", "verify", "note.txt")): {},
    ("command.no-role", (*ISSUE, "--role", "king", "--all")): {
        "unknown": "king", "roles": ", ".join(ROLES),
    },
    ("command.scope", (*ISSUE, "--role", "chair")): {},
    ("command.membership", (*ISSUE, "--role", "chair", "--all", "--member", "3")): {},
    ("command.no-token", ("token", "revoke", "mf_nobody")): {},
    ("command.what-to-import", ("import",)): {},
    ("command.argument-not-utf8", ("token", "revoke", "\udcff")): {},
    ("demo.not-empty", ("demo",)): {"funds": 1},
    ("read-model.of-another-version", ("verify", "--projections")): {},
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: ascii(f"{mistake[0]} by {' '.join(mistake[1][:2])}"))
def test_what_cannot_be_carried_out_is_said_in_the_readers_language(
    village: Path, mistake: tuple[str, Words], language: str
) -> None:
    key, words = mistake
    books = sqlite.connect(village / "fund.db")
    books.execute("UPDATE read_model SET shape = 'of last year'")
    books.commit()
    books.close()
    sentence = catalogue.phrase(f"mistake.{key}", language, **MISTAKES[mistake])
    assert said(village, words, language) == (2, sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_broken_history_is_named_with_the_first_version_that_does_not_fit(
    village: Path, tmp_path: Path, language: str
) -> None:
    (tmp_path / "fund.db").write_bytes((village / "fund.db").read_bytes())
    books = sqlite.connect(tmp_path / "fund.db")
    books.execute("DELETE FROM stored_events WHERE originator_version = 5")
    books.commit()
    books.close()
    broken = catalogue.phrase("mistake.command.broken-chain", language, fund=FUND, version=5)
    for words in (("flags", FUND), ("diff", FUND, "2024-06-15")):
        assert said(tmp_path, words, language) == (2, broken)


# --- files, keys and settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(village: Path, tmp_path: Path, language: str) -> None:
    (tmp_path / "folder.ndjson").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"\xff")
    (tmp_path / "letter.txt").write_text("Kính gửi")
    public = "microfund+00000000+AAAA"
    cases = {
        ("verify", str(tmp_path / "none.ndjson")): "command.no-such-file",
        ("verify", str(tmp_path / "folder.ndjson")): "command.is-folder",
        ("checkpoint", "verify", str(tmp_path / "latin.txt"), "--key", public): "command.not-utf8",
        ("checkpoint", "verify", str(tmp_path / "letter.txt"), "--key", public): "checkpoint.parts",
    }
    for words, key in cases.items():
        file = next(word for word in words if word.startswith(str(tmp_path)))
        what = catalogue.phrase(f"mistake.{key}", language)
        sentence = catalogue.phrase("mistake.command.of-file", language, file=file, what=what)
        assert said(village, words, language) == (2, sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_cannot_be_used_is_named_with_the_reason(village: Path, tmp_path: Path, language: str) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    what = catalogue.phrase("mistake.key.no-key", language)
    sentence = catalogue.phrase("mistake.key.of-file", language, file=str(key), what=what)
    assert said(village, ("checkpoint", "make"), language, MICROFUND_CHECKPOINT_KEY=str(key)) == (2, sentence)


SETTINGS = {
    ("MICROFUND_DATABASE", "mysql://user:secret@host/name"): ("database-url", {}),
    ("MICROFUND_PORT", "many"): ("number", {}),
    ("MICROFUND_CHECKS_PER_MINUTE", "0"): ("least", {"bound": "1"}),
    ("MICROFUND_READ_WAIT_SECONDS", "99"): ("most", {"bound": "60"}),
    ("MICROFUND_READ_WAIT_SECONDS", "0"): ("above", {"bound": "0"}),
    ("MICROFUND_CHECKPOINT_NAME", "so quy"): ("characters", {}),
    ("MICROFUND_FLAG_LATE_DAYS", "-1"): ("least", {"bound": "0"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("setting", SETTINGS, ids="=".join)
def test_a_setting_that_makes_no_sense_is_named_with_what_it_should_be(
    village: Path, setting: tuple[str, str], language: str
) -> None:
    name, value = setting
    code, facts = SETTINGS[setting]
    sentence = catalogue.phrase(f"mistake.setting.{code}", language, name=name, **facts)
    assert said(village, ("verify", "--all"), language, **{name: value}) == (2, sentence)


# --- nothing is left out ----------------------------------------------------------------------------------------------

AREAS = {
    "Mistake": "command",
    "UnsafeStorage": "storage",
    "ReadModelBroken": "read-model",
    "BeingRebuilt": "read-model",
    "Unsettled": "read-model",
    "NotACheckpoint": "checkpoint",
    "BadKey": "key",
    "BadSetting": "setting",
    "DatabaseNotEmpty": "demo",
    "BadPlan": "plan",
    "NotThisLog": "data-set",
    "BrokenBackup": "backup",
    "CannotBackUp": "backup",
}


def raised() -> set[str]:
    """The keys of all faults that the programs make, as their source has them."""
    keys = set()
    for path in (path for package in ("ledger", "service") for path in (HOME / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in AREAS:
                    keys.add(f"mistake.{AREAS[name]}.{code}")
    return keys


OTHERWISE = re.compile(
    r"mistake\.(usage\..*|setting\.(least|most|above)|storage\.(gone|trouble)|key\.of-file"
    r"|command\.(not-utf8|argument-not-utf8|no-such-file|is-folder|not-permitted|unreadable))"
)
"""What is put into words by the type of an exception that is not ours, or by its kind."""


def test_every_fault_has_its_words_and_no_words_lack_a_fault() -> None:
    spoken = {key for key in catalogue.every_key() if key.startswith("mistake.")}
    assert raised() <= spoken
    assert {key for key in spoken - raised() if not OTHERWISE.fullmatch(key)} == set()
