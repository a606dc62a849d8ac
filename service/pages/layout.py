"""What all pages have in common: the template they extend, the style sheet, the language, the headers, and that what is
refused is said on a page too.

Whoever extends `pages/layout.html` is given `said`, which speaks the catalogue's `page.<name>.…`, and `asset`, the
address of a file in `pages/static`. That address changes whenever a file does, so that browsers may keep them for ever.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import ClientDisconnect

from ledger.days import VILLAGE_TIME
from ledger.events.club import PRACTICE
from ledger.refusals import NotFound, Refusal
from service.access.authentication import STATIC
from service.http.compression import compressed
from service.http.late_route import LateRoute
from service.http.problems import problem, refusal_for
from service.templating import TEMPLATES
from service.words import catalogue, wording
from service.words.wording import LANGUAGES

router = APIRouter()

KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
}


def _bare(path: Path) -> bytes:
    """A file of `static/` as it is given out: a script without its comments and indents, which nobody's phone needs."""
    content = path.read_bytes()
    if path.suffix != ".js":
        return content
    lines = (line.strip() for line in content.splitlines())
    return b"\n".join(line for line in lines if not line.startswith(b"//"))


VERIFIER: Final = Path(__file__).parents[2] / "scripts" / "verify_history.py"
"""The stand-alone verifier, for whoever checks a book without the server."""
ASSETS: Final = {path.name: _bare(path) for path in (*sorted(Path(__file__).with_name("static").glob("*.*")), VERIFIER)}
DIGEST: Final = hashlib.sha256(b"".join(ASSETS.values())).hexdigest()[:16]

FOREVER: Final = "public, max-age=31536000, immutable"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Only what is our own runs, is loaded and is sent to. The one policy of trusted types is that for the worker."""

COUNTED: Final = frozenset({"members"})
"""Figures that are no amounts of money."""

COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600


class PageRoute(LateRoute):
    """A route of pages: a refusal is said in words on a page of its own, under the status it has everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, and a page for what it raises."""
        answer = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await answer(request)
            except ClientDisconnect:
                raise
            except Exception as error:  # noqa: BLE001  # What nobody foresaw is logged and shown like the rest.
                return refused(request, refusal_for(error))

        return shown


@router.get("/static/{digest}/{name}", include_in_schema=False)
async def asset(request: Request, digest: str, name: str) -> Response:
    """A style sheet, a script or a picture of the pages."""
    if name not in ASSETS:
        raise NotFound
    headers = {"X-Content-Type-Options": "nosniff"}
    if digest == DIGEST:  # Else it is asked for by a page of another copy of the service, older or newer than this one.
        headers["Cache-Control"] = FOREVER
    return compressed(request, Response(ASSETS[name], headers=headers, media_type=KINDS[Path(name).suffix]))


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, which names HTML; a program that takes anything, or JSON, is given JSON."""
    accepted = ", ".join(request.headers.getlist("accept"))
    return "text/html" in accepted and "application/json" not in accepted


def language_for(request: Request) -> str:
    """The language that the address asks for, or that was asked for before; else Vietnamese."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    return next((known for known in asked if known in LANGUAGES), LANGUAGES[0])


def here(request: Request, **asked: str) -> str:
    """The address of this page with something else asked of it; without a host, which whoever sends a request names."""
    return str(request.url.include_query_params(**asked).replace(scheme="", netloc=""))


def page(request: Request, name: str, status: int = 200, **facts: Any) -> Response:
    """The page of this name, in the reader's language, which is kept from then on if the address asked for it."""
    language = language_for(request)
    text = TEMPLATES.get_template(f"pages/{name}.html").render(
        **spoken(language),
        asset=lambda file: f"{STATIC}{DIGEST}/{file}",
        other=next(other for other in LANGUAGES if other != language),
        in_other=here(request, lang=next(other for other in LANGUAGES if other != language)),
        here=lambda **asked: here(request, **asked),
        request=request,
        principal=request.scope.get("principal"),
        # By its code: the club itself is not at hand where a page about it was refused.
        is_practice=request.path_params.get("fund", "").startswith(PRACTICE),
        **facts,
    )
    headers = HEADERS | {"Content-Language": language, "Vary": "Accept, Cookie"}
    response = Response(text, status, headers, "text/html; charset=utf-8")
    if request.query_params.get("lang") == language:
        response.set_cookie(COOKIE, language, COOKIE_SECONDS, httponly=True, samesite="lax")
    return response


def spoken(language: str) -> dict[str, Any]:
    """How a template says things: `said` and `phrase` by keys of `page.…`, `word` by any key of the catalogue, and
    amounts, days and shares as they are written."""

    def person(name: str | None, number: int) -> str:
        return name or catalogue.render("person.unnamed", language, number=number)

    def heard(at: str | datetime) -> str:
        village = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(VILLAGE_TIME)
        return catalogue.phrase("paper.instant", language, time=f"{village:%H:%M}", on=village.date())

    def first_said(*keys: str) -> str | None:
        known = (f"page.{key}" for key in keys if f"page.{key}" in catalogue.every_key())
        return next((catalogue.render(key, language) for key in known), None)

    return {
        "language": language,
        "first_said": first_said,
        "said": lambda key, **facts: catalogue.render(f"page.{key}", language, **facts),
        "phrase": lambda key, **facts: catalogue.phrase(f"page.{key}", language, **facts),
        "word": lambda key, **facts: catalogue.render(key, language, **facts),
        "small": lambda key, **facts: catalogue.phrase(key, language, **facts),
        "dong": lambda amount: wording.dong(amount, language),
        "in_words": lambda amount: wording.in_words(amount, language),
        "day": lambda on: wording.day(date.fromisoformat(on) if isinstance(on, str) else on, language),
        "month": lambda month: wording.month(month, language),
        "count": lambda number: wording.count(number, language),
        "rate": lambda ppm: wording.rate(ppm, language),
        "person": person,
        "as_day": date.fromisoformat,
        "heard": heard,
        "figure_text": lambda name, value: (wording.count if name in COUNTED else wording.dong)(value, language),
    }


def refused(request: Request, refusal: Refusal) -> Response:
    """A refusal in words, under its status. What was typed is kept by the forms; this is for all other pages."""
    found = problem(refusal, language_for(request))
    headers = {name: str(found[name]) for name in ("retry_after",) if name in found}
    response = page(request, "refused", found["status"], problem=found)
    if "retry_after" in headers:
        response.headers["Retry-After"] = headers["retry_after"]
    return response


def see_other(address: str) -> Response:
    """Go on to another address by GET, so that reloading it sends nothing again."""
    return RedirectResponse(address, 303)
