"""Spans for whoever collects them: one for each request, told as in the log, by its route's pattern and its id.

On only where OpenTelemetry's own variables of the environment say where spans go; the extra `telemetry` sends them.
FastAPI's own spans would tell addresses and queries, and not see the routes that go past it.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.asked import CURRENT
from service.http.metrics import METHODS
from service.settings import BadSetting

EXPORTER: Final = "OTEL_TRACES_EXPORTER"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PARENT: Final = TraceContextTextMapPropagator()


def provider_asked_for() -> Any:
    """OpenTelemetry's provider of tracers as the environment asks for it, None if it does not; to be shut down at the
    end. Raises `BadSetting`."""
    has_endpoint = any(os.environ.get(name) for name in ENDPOINTS)
    exporter = os.environ.get(EXPORTER) or ("otlp" if has_endpoint else "none")
    if exporter == "none" or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if exporter not in ("otlp", "console"):
        raise BadSetting("wrong", name=EXPORTER)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
    except ModuleNotFoundError:
        raise BadSetting("no-telemetry", name=EXPORTER) from None
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "microfund"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter() if exporter == "otlp" else ConsoleSpanExporter()))
    return provider


def traced_by(provider: Any) -> Callable[[ASGIApp], ASGIApp]:
    """What is put around an application to have its requests traced; nothing without a provider."""
    return (lambda app: Tracing(app, provider.get_tracer("microfund"))) if provider else (lambda app: app)


class Tracing:
    """The ring that has a span for each request."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within its span."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = 500  # What nobody answered here, the ring around this one does.

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        given = PARENT.extract({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})
        with self._tracer.start_as_current_span(
            method, given, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return await self._app(scope, receive, watched)
            finally:
                route, asked = getattr(scope.get("route"), "path", "none"), CURRENT.get()
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if asked:
                    span.set_attribute("microfund.request_id", asked.id.decode())
                if status >= 500:
                    span.set_status(StatusCode.ERROR)
