"""The verifier that trusts nobody, the history that `docs/verify.md` shows, and how a forger would change it."""

import base64
import json
import re
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.aggregates.fund import Fund
from ledger.checkpoints import Leaf
from ledger.checkpoints.merkle import inclusion_proof, root_of
from ledger.checkpoints.notes import Checkpoint, Signer
from ledger.events import check_code, head_of
from tests.support.village import (
    CLUB,
    FIVE_MEMBERS,
    FUND,
    OPENED,
    Act,
    bylaws,
    day,
    gives,
    lends,
    lines,
    metadata,
    pays,
    repays,
    spends,
    undoes,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_history.py"
Lines = list[bytes]


def loaded(source: str) -> ModuleType:
    """The verifier as a module, made of this source."""
    module = ModuleType("verifier")
    exec(compile(source, str(SCRIPT), "exec"), vars(module))  # noqa: S102  # Our own file.
    return module


VERIFIER = loaded(SCRIPT.read_text(encoding="utf-8"))


def run(history: Lines, *options: str) -> tuple[int, str]:
    """Run the verifier on some lines, in English; answers its exit code and what it said."""
    said = TextIOWrapper(BytesIO(), "utf-8")
    with NamedTemporaryFile(suffix=".ndjson") as file, redirect_stdout(said):
        file.write(joined(history))
        file.flush()
        exit_code = VERIFIER.main([file.name, "--lang", "en", *options])
    said.seek(0)
    return exit_code, said.read()


# --- the history of the page ------------------------------------------------------------------------------------------


def opens(fund: Fund) -> None:
    fund.open(metadata(OPENED, by="admin"), bylaws=bylaws(), **CLUB)


def counts(fund: Fund) -> None:
    counted = fund.cash_at(day("2024-03-05")) - 4_000
    fund.count_cash(metadata("2024-03-05"), reason="periodic", counted=counted, witnesses=[1, 3])


def withdraws(fund: Fund) -> None:
    fund.withdraw_savings(metadata("2024-03-06"), member=4, amount=100_000)


def acts(gift: int = 2_000_000) -> list[Act]:
    """What happened in the history that the page shows, in 24 entries; the gift is entry no. 12, the count no. 20."""
    return [
        opens,
        *FIVE_MEMBERS,
        gives(20_000_000),
        gives(1_000_000, pot="activity"),
        pays(4, "savings", 300_000, on="2024-01-05"),
        pays(5, "dues", 10_000, on="2024-01-05"),
        gives(gift, pot="activity", on="2024-01-20"),
        lends(3, 3_000_000, on="2024-01-31"),
        spends(120_000, on="2024-02-10"),
        repays(1, 28_000, on="2024-02-29"),
        undoes(on="2024-02-29"),
        repays(1, 280_000, on="2024-02-29"),
        counts,
        withdraws,
        spends(50_000, on="2024-03-07"),
        pays(5, "dues", 10_000, on="2024-03-08"),
        spends(30_000, on="2024-03-09"),
    ]


def told(happened: list[Act]) -> Fund:
    fund = Fund(FUND)
    for act in happened:
        act(fund)
    return fund


SHOWN = told(acts())
LINES = lines(SHOWN)
CODES = [check_code(head_of(line)) for line in LINES]


def joined(history: Lines) -> bytes:
    """The bytes that `GET /v1/funds/F/history` answers."""
    return b"".join(line + b"\n" for line in history)


SIGNER = Signer("so-quy.example", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SEALED_AT = datetime(2024, 3, 10, 3, 0, tzinfo=UTC)


def sealing(history: Lines, version: int) -> tuple[str, dict[str, Any]]:
    """A checkpoint over the history's head at a version, among heads of other funds, and the proof that is in it."""
    leaf = Leaf(FUND, version, head_of(history[version - 1]))
    leaves = [Leaf("LS-AN-SON", 7, "a" * 64), Leaf("LS-BA-SON", 9, "b" * 64), leaf, Leaf("LS-CHI-LANG", 3, "c" * 64)]
    hashes = [one.hash() for one in (*leaves, Leaf("LS-BA-SON", 11, "d" * 64))]
    checkpoint = Checkpoint(SIGNER.name, 5, root_of(hashes), 12, SEALED_AT, 4, 42)
    proof = [base64.b64encode(one).decode() for one in inclusion_proof(hashes, 2)]
    return SIGNER.signed(checkpoint), {"leaf": leaf.text(), "index": 2, "proof": proof}


# --- how a forger works -----------------------------------------------------------------------------------------------


def replaced(history: Lines, number: int, **fields: Any) -> Lines:
    """Some fields of an entry changed, or taken out with `...`; nothing else."""
    entry = {name: value for name, value in (json.loads(history[number - 1]) | fields).items() if value is not ...}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    return [*history[: number - 1], line, *history[number:]]


def rechained(history: Lines) -> Lines:
    """Numbers and hashes made to fit, from the first line on."""
    forged: Lines = []
    for number, line in enumerate(history, 1):
        prev = head_of(forged[-1]) if forged else "0" * 64
        line = re.sub(rb'"version":\d+', b'"version":%d' % number, line, count=1)
        forged.append(re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % prev.encode(), line, count=1))
    return forged


def refitted(history: Lines) -> Lines:
    """Voucher numbers made to fit too, and what reversals point to."""
    last: Counter[str] = Counter()
    places = {json.loads(line)["version"]: number for number, line in enumerate(history, 1)}
    for number, entry in enumerate(map(json.loads, history), 1):
        if entry["type"] == "EntryReversed":
            wrong = places[entry["reverses"]]
            history = replaced(history, number, reverses=wrong, voucher=json.loads(history[wrong - 1])["voucher"])
        elif "voucher" in entry:
            series = entry["voucher"][:8]
            last[series] += 1
            history = replaced(history, number, voucher=f"{series}{last[series]:04d}")
    return rechained(history)


def swapped(history: Lines, one: int, other: int) -> Lines:
    changed = history.copy()
    changed[one - 1], changed[other - 1] = changed[other - 1], changed[one - 1]
    return changed


def doubled(history: Lines, number: int) -> Lines:
    return [*history[:number], history[number - 1], *history[number:]]


def as_entry(history: Lines, number: int) -> Lines:
    """Numbered 999 until it is numbered anew, so that nothing points to it."""
    return replaced(history, number, version=999)
