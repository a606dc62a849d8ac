"""Nothing secret leaves the register: the whole service is run as a program on names, phones, notes, tokens, codes and
PINs that occur nowhere else; then everything that it wrote or said to others is searched for them."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.register import folded
from ledger.sqlite_engine import sqlite
from tests.support.microfund import Service, microfund
from tests.support.people import OURS
from tests.support.service import BYLAWS, FUND, OPENED_ON, opening

ROOT = Path(__file__).parents[2]

NAMES = {
    "member": "Quách Thị Zymarin",
    "renamed": "Quách Thị Xanthorin",
    "donor": "Bế Văn Wolframin",
    "lender": "Nông Thị Yttriumel",
    "chair": "Vi Thị Krypton",
    "token": "Lương Văn Jasminol",
    "label": "Máy Fluorazin",
}
PHONES = {"member": "0987 654 321", "chair": "0976 543 218"}
NOTES = {"note": "Cháu Hexandrin nộp thay", "reason": "Ốm ở viện Quinzolam", "finding": "Gặp bà Vermicilin ở nhà"}
PIN = "719463"


class Run:
    """A service as a program in a home of its own, and all that it wrote or answered to whom it refused."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.keys = home / "keys"
        self.keys.mkdir()
        self.artefacts: dict[str, bytes] = {}
        self.secrets = [*NAMES.values(), *PHONES.values(), *NOTES.values(), PIN]
        self._key = 0

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(ROOT),
            "MICROFUND_DATABASE": f"sqlite:///{self.home / 'fund.db'}",
            "MICROFUND_REGISTER_KEY": str(self.keys / "register.key"),
            "MICROFUND_CHECKPOINT_KEY": str(self.keys / "checkpoint.pem"),
            "MICROFUND_LOG_REQUESTS": "all",
        }

    def command(self, *words: str, may_fail: bool = False) -> str:
        """What a command says; kept as an artefact, with what it says on the side."""
        ended = microfund(*words, environment=self.environment(), home=self.home)
        assert may_fail or ended.returncode == 0, ended.stderr
        self.artefacts[f"stderr of {' '.join(words[:2])}"] = ended.stderr.encode()
        if words[0] != "token":  # Prints the token, once: that is what it is for.
            self.artefacts[f"stdout of {' '.join(words[:2])}"] = ended.stdout.encode()
        return ended.stdout.strip()

    @contextmanager
    def served(self) -> Iterator[httpx.Client]:
        """The service, its log kept as an artefact once it has ended."""
        service = Service(self.environment(), self.home, self.home)
        try:
            with httpx.Client(base_url=service.address, timeout=60) as asking:
                yield asking
        finally:
            service.stop()
        self.artefacts["log of the service"] = service.results.read_bytes() + service.errors.read_bytes()

    def refused(self, answer: httpx.Response) -> None:
        """Keep an error as an artefact."""
        assert answer.status_code >= 400, answer.text
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.artefacts[f"error {len(self.artefacts)}"] = head.encode() + b"\n" + answer.content

    def key(self) -> str:
        self._key += 1
        return f"canary-{self._key:06}"

    def collect_files(self) -> None:
        """Every file beneath the home, with its name; keys open things and name nobody."""
        for path in sorted(self.home.rglob("*")):
            self.artefacts[f"name of {path.name}"] = str(path.relative_to(self.home)).encode()
            if path.is_file():
                self.artefacts[f"file {path.name}"] = path.read_bytes()


def forms(secret: str) -> set[bytes]:
    """How a text may lie in a file: composed or not, as JSON or a URL writes it, without its marks."""
    plain = {secret, unicodedata.normalize("NFD", secret), json.dumps(secret)[1:-1], folded(secret)}
    return {form.encode() for form in plain} | {httpx.QueryParams({"q": secret}).__str__()[2:].encode()}


def lies_in(content: bytes, secret: str) -> bool:
    """Whether a secret lies in there, in any form; digits amid a long number in hexadecimal are none."""
    if not secret.isdecimal():
        return any(form in content or form in content.lower() for form in forms(secret))
    return re.search(b"(?<![0-9a-f])%b|%b(?![0-9a-f])" % (secret.encode(), secret.encode()), content) is not None


def found(artefacts: dict[str, bytes], secrets: list[str]) -> list[str]:
    """Where which secret lies."""
    return [
        f"{place}: {secret}" for place, content in artefacts.items() for secret in secrets if lies_in(content, secret)
    ]


def lived_through(run: Run) -> None:
    """A club, its people and their mistakes, over HTTP; whatever is refused is kept."""
    token = run.command("token", "issue", "--name", NAMES["token"], *_roles("admin", "treasurer", "chair", "inspector"))
    run.secrets.append(token)
    with run.served() as client:
        client.headers["Authorization"] = f"Bearer {token}"

        def post(path: str, body: Any, status: int = 201) -> Any:
            answer = client.post(f"/v1{path}", json=body, headers={"Idempotency-Key": run.key()})
            assert answer.status_code == status, answer.text
            if status >= 400:
                run.refused(answer)
            is_json = answer.headers["Content-Type"].endswith("json")
            return answer.json() if is_json else answer.text

        at = f"/funds/{FUND}"
        post("/funds", opening())
        person = {"sex": "female", "birth_year": 1955, "poverty": "none", "on": OPENED_ON}
        post(f"{at}/members", person | {"name": NAMES["member"], "phone": PHONES["member"]})
        post(f"{at}/members/1/changes", {"name": NAMES["renamed"]})
        post(f"{at}/members", person | {"name": NAMES["member"], "household": NAMES["renamed"] * 20}, 422)
        post(f"{at}/members", person | {NAMES["member"]: NAMES["renamed"]}, 422)
        gift = {"source": "member", "pot": "revolving", "amount": 5_000_000, "on": OPENED_ON}
        post(f"{at}/donations", gift | {"donor": NAMES["donor"]})
        post(f"{at}/advances", {"source": "mass_org", "lender": NAMES["lender"], "amount": 1_000_000})
        post(f"{at}/contributions", {"member": 1, "kind": "dues", "amount": 10_000, "note": NOTES["note"]})
        post(f"{at}/members/1/forgiven-dues", {"months": ["2024-03"], "reason": NOTES["reason"]})
        post(f"{at}/inspections", {"kind": "sample", "finding": NOTES["finding"]})
        post(f"{at}/expenses", {"activity": "culture", "amount": 10**9, "note": NOTES["note"]}, 422)
        post(f"{at}/bylaws", BYLAWS | {"on": NAMES["member"]}, 422)
        post("/checkpoints", {})
        come_in_by_phone(run, client, post)
        reads(run, client, at)
        erased = client.delete(f"/v1{at}/members/1/person")
        assert erased.json()["erased"] == 5
        run.artefacts["metrics"] = client.get("/metrics").content
        run.artefacts["ready"] = client.get("/readyz").content
        run.artefacts["checkpoint"] = client.get("/v1/checkpoints/1").content
        run.artefacts["history"] = client.get(f"/v1{at}/history").content
        run.artefacts["feed"] = client.get("/v1/feed").content
        run.artefacts["people's log"] = client.get("/v1/people/log").content
        run.collect_files()  # With the write-ahead log as it is while the service runs.
        run.artefacts |= {f"living {name}": content for name, content in run.artefacts.items() if "fund.db" in name}


def _roles(*roles: str) -> list[str]:
    return ["--all", *(word for role in roles for word in ("--role", role))]


def come_in_by_phone(run: Run, client: httpx.Client, post: Any) -> None:
    """A chair is invited, opens a phone, chooses a PIN, and mistakes it."""
    new = {"name": NAMES["chair"], "phone": PHONES["chair"], "roles": ["chair"], "scope": {"funds": [FUND]}}
    person = post("/people", new)["person"]
    invited = post(f"/people/{person}/invitations", {})
    run.secrets += [invited["code"], invited["code"].replace("-", "")]
    bare = httpx.Client(base_url=client.base_url, timeout=60, headers=OURS)
    accepted = bare.post("/v1/invitations/accept", json={"code": invited["code"], "label": NAMES["label"]})
    assert accepted.status_code == 201, accepted.text
    run.refused(bare.post("/v1/invitations/accept", json={"code": invited["code"]}))
    cookie = accepted.headers["Set-Cookie"].partition(";")[0]
    run.secrets.append(cookie.partition("=")[2])
    bare.headers["Cookie"] = cookie
    assert bare.put("/v1/session/pin", json={"pin": PIN}).status_code == 200
    run.refused(bare.put("/v1/session/pin", json={"pin": "719464", "old": "111119"}))
    run.refused(bare.put("/v1/session/pin", json={"pin": f"{PIN}9"}))
    wrong = {"Approval-Pin": f"{PIN}1", "Idempotency-Key": run.key()}
    run.refused(bare.post(f"/v1/funds/{FUND}/periods", json={"through": "2024-01-31"}, headers=wrong))
    assert bare.get(f"/v1/funds/{FUND}/members").status_code == 200
    bare.close()


def reads(run: Run, client: httpx.Client, at: str) -> None:
    """What shows people, and what is asked in ways that put people where they do not belong."""
    for path in (
        "members",
        "members/1",
        "members/1/person",
        "entries",
        "cash-book",
        "sheet",
        "papers/members/1",
        "flags",
    ):
        assert client.get(f"/v1{at}/{path}").status_code == 200, path
    for params in ({"name": NAMES["member"]}, {"as_of": NAMES["member"]}, {"cursor": PHONES["member"]}):
        run.refused(client.get(f"/v1{at}/members", params=params))
    run.refused(client.get(f"/v1/{NAMES['member']}"))
    run.refused(client.get("/v1/funds/zymarin", headers={"X-Request-Id": PHONES["member"]}))
    run.refused(client.post(f"/v1{at}/members", content=f'{{"name": "{NAMES["member"]}"'.encode()))
    run.refused(client.get(f"/v1{at}", headers={"Authorization": f"Bearer {client.headers['Authorization'][7:]}x"}))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("canaries"))
    lived_through(run)
    for words in (("history", FUND), ("export", FUND), ("export", FUND, "--format", "beancount"), ("flags", FUND)):
        run.command(*words)
    run.command("verify", "--all", may_fail=True)
    run.command("checkpoint", "list")
    run.command("register", "rotate-key")
    run.collect_files()
    return run


def test_no_secret_lies_anywhere_it_should_not(run: Run) -> None:
    kinds = ("file fund.db", "living file fund.db-wal", "file register.erasures", "log of the service", "metrics")
    assert all(kind in run.artefacts for kind in kinds), sorted(run.artefacts)
    assert len([name for name in run.artefacts if name.startswith("error")]) >= 12
    assert sum(map(len, run.artefacts.values())) > 100_000
    assert found(run.artefacts, run.secrets) == []


def test_the_log_tells_of_every_request_by_its_pattern_and_id(run: Run) -> None:
    lines = [json.loads(line) for line in run.artefacts["log of the service"].splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    routes, ids = {line["route"] for line in requests}, {line["request_id"] for line in requests}
    assert {"none", "/v1/funds/{fund}/members/{member}/person", "/v1/invitations/accept"} <= routes
    assert len(ids) == len(requests) > 40
    assert {line["code"] for line in requests if line["status"] == 429 or line["status"] == 403} == {"pin-wrong"}
    assert any(line["logger"] == "uvicorn.error" for line in lines)


@pytest.mark.parametrize("place", ["log of the service", "metrics", "name of fund.db", "error"])
@pytest.mark.parametrize("secret", [NAMES["member"], PHONES["chair"], PIN])
def test_one_canary_that_got_out_would_be_found(run: Run, place: str, secret: str) -> None:
    where = next(name for name in run.artefacts if name.startswith(place))
    planted = run.artefacts | {where: run.artefacts[where] + json.dumps(secret).encode()}
    assert found(planted, run.secrets) == [f"{where}: {secret}"]


def test_one_canary_in_the_database_would_be_found(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "fund.db"
    copy.write_bytes(run.artefacts["file fund.db"])
    database = sqlite.connect(str(copy))
    database.execute("INSERT INTO settings VALUES ('canary', ?)", (NAMES["donor"],))
    database.commit()
    database.close()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {place.partition(": ")[2] for place in found(files, run.secrets)} == {NAMES["donor"]}
