"""The HTTP service put together: what it is made of, opened and closed in order."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial, reduce
from pathlib import Path

from fastapi import FastAPI

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.projections.follower import Follower
from ledger.projections.read_model import ReadModel
from ledger.projections.shared_reads import SharedReads
from ledger.writer import Writer
from service.access import reader_routes
from service.access.authentication import Authentication
from service.access.places import Places
from service.access.readers import ReaderLog, ReaderNotes, note_shown
from service.access.state import AccessState
from service.access.throttle import Throttle
from service.checkpoints import routes as checkpoints
from service.checkpoints.anchoring import POLL_SECONDS, Anchoring
from service.checkpoints.signing import signer_of
from service.http import docs
from service.http.direct_routes import Service
from service.http.errors import ErrorsAndMetrics
from service.http.logs import RequestLog
from service.http.metrics import Metrics
from service.http.notifier import Notifier
from service.http.openapi import documented
from service.http.problems import add_problem_handlers
from service.http.state import AppState, utc_now
from service.http.tracing import provider_asked_for, traced_by
from service.inspection import flag_routes, log_routes, past_routes, sample_routes
from service.inspection.flag_keeper import FlagKeeper
from service.inspection.flag_service import FlagService
from service.operations import routes as operations
from service.operations.gauges import Gauges
from service.pages import (
    approving,
    bylaws,
    club,
    code_check,
    correcting,
    counting,
    door,
    entering,
    flags,
    inspecting,
    layout,
    meeting,
    paper_desk,
    practice,
    proof,
    province,
    receipts,
    times,
)
from service.pages import people as people_pages
from service.pages import reports as report_pages
from service.pages.drafts import Drafts
from service.papers import routes as papers
from service.people import routes as people
from service.reads import count_routes, person_routes, sheet_routes
from service.reads import routes as reads
from service.reports import routes as reports
from service.reports.state import ReportState
from service.settings import Settings
from service.writes import meeting_routes, practice_routes
from service.writes import routes as writes


def create_app(settings: Settings, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The service for these settings; its database is opened when it starts. `now` is the clock."""
    tracing = provider_asked_for()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as opened:
            if tracing:
                opened.callback(tracing.shutdown)
            ledger = Ledger(
                settings.database,
                "write",
                max_cached_entries=settings.max_cached_entries,
                register_key=Path(settings.register_key),
            )
            opened.callback(ledger.close)
            read_model = ReadModel(ledger.database)
            read_model.create_tables()
            follower, notifier = opened.enter_context(Follower(read_model)), Notifier()

            def committed() -> None:
                follower.wake()
                notifier.notify()

            metrics: Metrics = app.state.metrics
            writer = opened.enter_context(Writer(ledger, committed, metrics.commit_seconds.time))
            shared_reads = opened.enter_context(SharedReads(read_model))
            state = AppState(settings, ledger, writer, read_model, follower, notifier, shared_reads, now)
            app.state.own = state
            app.state.drafts = Drafts(ledger.database, ledger.register)
            app.state.reports = opened.enter_context(ReportState(settings, ledger.database))
            access = AccessState(ledger, now)
            app.state.access, app.state.principals, app.state.sessions = access, access.principals, access.sessions
            app.state.reader_log = opened.enter_context(ReaderLog(ledger.database, now, settings.readers_months))
            ledger.register.on_read = note_shown
            app.state.throttle = opened.enter_context(Throttle(ledger.database, now))
            app.state.checkpoints = Checkpoints(ledger.database, ledger.recorder)
            signer = partial(signer_of, settings, app.state.checkpoints)
            app.state.anchoring = opened.enter_context(
                Anchoring(app.state.checkpoints, signer, now, POLL_SECONDS, ledger.prove_states)
            )

            def forget() -> None:
                """Remember nothing of the log: at the beginning, and when some of it turns out to be gone."""
                state.forget()
                app.state.places = access.places = Places(ledger)
                app.state.flag_service = FlagService(ledger, app.state.principals, settings.flag)

            forget()
            ledger.losses.on_loss = forget
            opened.enter_context(FlagKeeper(state, lambda: app.state.flag_service, lambda: metrics.waited_for))
            opened.enter_context(metrics.showing(Gauges(state, app.state.checkpoints, app.state.anchoring)))
            yield

    app = Service(
        title="microfund",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # To wherever the Host header says.
        telemetry={"tracing": False, "metrics": False, "logs": False},  # Our own figures are in /metrics.
    )
    app.state.metrics = Metrics()
    for part in (
        writes,
        meeting_routes,
        practice_routes,
        reads,
        sheet_routes,
        person_routes,
        reader_routes,
        count_routes,
        people,
        papers,
        log_routes,
        checkpoints,
        operations,
        docs,
        past_routes,
        sample_routes,
        flag_routes,
        reports,
        layout,
        door,
        meeting,
        people_pages,
        entering,
        flags,
        inspecting,
        correcting,
        counting,
        approving,
        code_check,
        bylaws,
        paper_desk,
        practice,
        proof,
        province,
        report_pages,
        receipts,
        times,
        club,
    ):
        # Not `include_router`: an included router is searched twice for each request.
        app.router.routes.extend(part.router.routes)
    add_problem_handlers(app)
    watched = partial(ErrorsAndMetrics, metrics=app.state.metrics, log=RequestLog(settings))
    rings = (watched, traced_by(tracing), Authentication, ReaderNotes)
    for ring in reversed(rings):
        app.add_middleware(ring)
    app.open_door(app.routes, lambda door: reduce(lambda within, ring: ring(within), reversed(rings), door))
    documented(app)
    return app
