"""Claims about spans: sent only where the environment asks for them, and they tell of nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service import app
from service.http.tracing import provider_asked_for
from service.settings import BadSetting
from tests.support.commands import command
from tests.support.service import FUND, NAME, house

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_a_span_has_the_routes_pattern_and_the_id_and_nothing_that_was_sent(
    settled_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, kept, provider = tmp_path / "fund.db", InMemorySpanExporter(), TracerProvider()
    copied.write_bytes(settled_database.read_bytes())
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(app, "provider_asked_for", lambda: provider)
    with house(f"sqlite:///{copied}") as running:
        direct = running.post(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 1, "note": NAME})
        running.get(f"/funds/{FUND}/members/1?name=Sam", traceparent=PARENT)
        running.client.get("/Sam", headers={"User-Agent": "Sam"})
        monkeypatch.setattr(type(running.state), "today", lambda _: 1 // 0)
        running.get(f"/funds/{FUND}/balances")
    spans = kept.get_finished_spans()
    told = [(span.name, (span.attributes or {})["http.response.status_code"], span.status.is_ok) for span in spans]
    assert told == [
        ("POST /v1/funds/{fund}/contributions", 201, True),
        ("GET /v1/funds/{fund}/members/{member}", 422, True),
        ("GET none", 401, True),
        ("GET /v1/funds/{fund}/balances", 500, False),
    ]
    assert (spans[0].attributes or {})["microfund.request_id"] == direct.headers["X-Request-Id"]
    assert f"{spans[1].context.trace_id:032x}" == PARENT.split("-")[1]
    written = "".join(span.to_json() for span in spans)
    assert [word for word in (NAME, json.dumps(NAME), FUND, "Sam", "division", running.token) if word in written] == []


@pytest.mark.parametrize(
    ("variables", "exporter"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, "OTLPSpanExporter"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "ConsoleSpanExporter"),
    ],
)
def test_spans_are_sent_only_where_the_environment_asks_for_it(
    variables: dict[str, str], exporter: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    provider: Any = provider_asked_for()
    sent_by = provider and type(provider._active_span_processor._span_processors[0].span_exporter).__name__
    if provider:
        provider.shutdown()
    assert sent_by == exporter


def test_an_exporter_that_is_not_there_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'fund.db'}"
    assert command(url, "token", "issue", "--name", "A", "--role", "admin", "--all").returncode == 0
    refused = command(url, "serve", "--lang", "en", OTEL_TRACES_EXPORTER="zipkin")
    assert (refused.returncode, refused.stderr) == (2, "OTEL_TRACES_EXPORTER: the value cannot be used\n")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    with pytest.raises(BadSetting, match="no-telemetry"):
        provider_asked_for()
