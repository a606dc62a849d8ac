"""Claims about problems: words for every refusal in both languages, nothing secret anywhere, faults told as such."""

import inspect
import logging
import re
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from ledger import refusals
from ledger.jobs import StorageUnavailable
from ledger.refusals import Conflict, NotFound, Refusal
from ledger.writer import QueueFull
from service.http import refusals as edge
from service.http.problems import MEMBERS, STATUS, problem, status_of
from service.words import catalogue
from service.words.wording import LANGUAGES
from tests.support.cases import case
from tests.support.service import FUND, NAME, House


def every_refusal() -> list[type[Refusal]]:
    """Each class that may be raised; those that only gather others are not."""
    found = [
        kind
        for module in (refusals, edge)
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Refusal) and kind.__module__ == module.__name__
    ]
    return [kind for kind in found if kind not in (Refusal, Conflict)]


def facts_of(kind: type[Refusal]) -> set[str]:
    """What a refusal knows, by its own sentence."""
    return set(re.findall(r"{(\w+)}", kind.__doc__ or ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_words_that_ask_for_nothing_it_does_not_know(language: str) -> None:
    for kind in every_refusal():
        with case(kind):
            asked = {name for name, _ in catalogue.fields(f"refusal.{kind.code}.detail", language)}
            assert asked <= facts_of(kind) | {"today"}
            assert catalogue.render(f"refusal.{kind.code}.title", language)


def test_no_fact_of_a_refusal_hides_a_member_of_the_problem() -> None:
    taken = {"type", "title", "status", "detail", "code", "errors", "instance"}

    for kind in every_refusal():
        with case(kind):
            assert not {MEMBERS.get(fact, fact) for fact in facts_of(kind)} & taken


def test_codes_are_kebab_case_and_each_its_own() -> None:
    codes = [kind.code for kind in every_refusal()]

    assert [code for code in codes if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []
    assert [code for code in codes if codes.count(code) > 1] == []


def test_refusals_answer_with_the_status_of_their_kind() -> None:
    assert status_of(refusals.InsufficientFunds()) == 422
    assert status_of(refusals.AlreadyReversed()) == 409
    assert status_of(refusals.MemberNotFound()) == 404
    assert {STATUS[kind] for kind in STATUS} >= {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503}
    assert issubclass(refusals.FundNotFound, NotFound)


def test_a_problem_is_told_in_the_readers_language() -> None:
    refusal = refusals.NotEligible(loan=3, reasons=("term-above-cap", "household-has-open-loan"))

    vietnamese, english = problem(refusal, "vi"), problem(refusal, "en")

    assert vietnamese["detail"] == (
        "Khoản vay số 3 chưa đủ điều kiện theo quy chế: thời hạn vay dài hơn mức cho phép của quy chế; "
        "gia đình đang có khoản vay chưa trả hết. Chủ nhiệm có thể duyệt ngoài quy chế và ghi rõ lý do."
    )
    assert english["title"] == "Not eligible under the bylaws"
    assert english["reasons"] == ("term-above-cap", "household-has-open-loan")


class Failing:
    """A writer that cannot."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def record(self, job: Any) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StorageUnavailable("disk full: " + NAME), 503, "storage-unavailable"),
        (OperationalError("connection to " + NAME), 503, "storage-unavailable"),
        (QueueFull(), 503, "queue-full"),
        (RuntimeError("a bug that knows " + NAME), 500, "internal-error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_fault_is_told_without_details_and_worth_another_try(
    village: House, error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    writer = village.state.writer
    village.state.writer = Failing(error)  # type: ignore[assignment]

    with caplog.at_level(logging.DEBUG):
        answer = village.post(
            f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 1}, key="try-again"
        )
    village.state.writer = writer

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert NAME not in answer.text + caplog.text
    if status == 500:
        assert "RuntimeError" in caplog.text
    again = village.post(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 1}, key="try-again")
    assert again.status_code == 201


def test_a_broken_history_is_named_and_nothing_more_is_recorded(village: House) -> None:
    with village.state.ledger.database.transaction() as transaction:
        transaction.execute(
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '10000', '10001') AS BLOB) "
            "WHERE originator_id = :fund AND originator_version = 13",
            fund=FUND,
        )
    village.state.ledger._logs.forget(FUND)

    answer = village.post(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 1})
    verified = village.get(f"/funds/{FUND}/verification").json()

    assert (answer.status_code, answer.json()["code"]) == (500, "history-broken")
    assert verified["valid"] is False
    assert answer.json()["version"] == verified["first_broken"]


def test_names_and_tokens_reach_neither_logs_nor_figures_nor_problems_nor_the_log(
    village: House, caplog: pytest.LogCaptureFixture
) -> None:
    canaries = ["Chim Hoàng Yến", "0909 808 707", "Ghi chú hoàng yến", "Nhà hảo tâm yến"]
    person = {"sex": "male", "birth_year": 1960, "poverty": "none", "name": canaries[0], "phone": canaries[1]}
    at = f"/funds/{FUND}"
    said: list[str] = []

    with caplog.at_level(logging.DEBUG):
        village.recorded(f"{at}/members", person)
        village.recorded(f"{at}/contributions", {"member": 3, "kind": "dues", "amount": 1, "note": canaries[2]})
        village.recorded(
            f"{at}/donations", {"source": "benefactor", "pot": "activity", "amount": 1, "donor": canaries[3]}
        )
        for wrong in (
            {"sex": canaries[0]},
            {"birth_year": canaries[0]},
            {"household": canaries[0]},
            {canaries[0]: 1},
            {"on": canaries[0]},
            {"birth_year": 1700},
        ):
            refused = village.post(f"{at}/members", person | wrong)
            assert refused.status_code == 422
            said.append(refused.text)
        said.append(village.get(f"{at}/{canaries[0]}").text)
        said.append(village.post(f"{at}/contributions?{canaries[0]}=1", {}).text)
        said.append(village.client.get("/v1/funds", headers={b"Authorization": f"Bearer {canaries[0]}".encode()}).text)
        said.append(village.client.get("/metrics").text)
        said.append(village.get(f"{at}/history").text)
        said.append(village.get("/feed").text)
        said.append(village.get("/borrowing").text)

    for canary in (*canaries, village.token):
        assert canary not in "".join(said)
        assert canary not in caplog.text


def test_figures_for_prometheus_have_few_labels(village: House) -> None:
    for path in ("/v1/a", "/v1/b", f"/v1/funds/{FUND}", "/v1/funds/LS-NO-SUCH"):
        village.client.get(path, headers=village.headers())
    village.client.request("BREW", "/v1/funds", headers=village.headers())

    text = village.client.get("/metrics").text

    labels = set(re.findall(r'microfund_requests_total{method="(\w+)",route="([^"]+)"', text))
    routes = {route for _, route in labels}
    assert routes >= {"none", "/v1/funds/{fund}"}
    assert not any(FUND in route for route in routes)
    assert {method for method, _ in labels} <= {"GET", "POST", "other"}
    assert "microfund_read_model_position " in text
    assert "microfund_writer_waiting 0.0" in text


def test_a_service_says_that_it_lives_and_is_ready(village: House) -> None:
    alive, ready = village.client.get("/healthz"), village.client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert ready.status_code == 200
    assert ready.json()["read_model"].keys() == {"position", "lag", "parked", "trouble"}
    assert all(isinstance(finding, str) for finding in ready.json()["findings"])


def test_the_apis_document_is_complete_and_its_page_loads_nothing_from_elsewhere(village: House) -> None:
    document = village.client.get("/openapi.json").json()
    page = village.client.get("/docs")

    text = str(document)
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= document["components"]["schemas"].keys()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["operationId"] in page.text
            if path.startswith("/v1"):
                assert any(status >= "400" for status in operation["responses"])
            if method == "post":
                name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert document["components"]["schemas"][name]["examples"], path
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
