"""What all pages have in common: the template they extend, the style sheet, the language and the headers.

Whoever extends `pages/layout.html` is given `said`, which speaks the catalogue's `page.<name>.…`, and `asset`, the
address of a file in `pages/static`. That address changes whenever a file does, so that browsers may keep them for ever.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from ledger.refusals import NotFound
from service.access.authentication import STATIC
from service.templating import TEMPLATES
from service.words import catalogue
from service.words.wording import LANGUAGES

router = APIRouter()

KINDS: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
ASSETS: Final = {path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("static").glob("*.*"))}
DIGEST: Final = hashlib.sha256(b"".join(ASSETS.values())).hexdigest()[:16]

FOREVER: Final = "public, max-age=31536000, immutable"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing runs, nothing is loaded from elsewhere, nothing is sent anywhere; a page that needs more says so itself."""

COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600


@router.get("/static/{digest}/{name}", include_in_schema=False)
async def asset(digest: str, name: str) -> Response:
    """A style sheet or a picture of the pages."""
    if name not in ASSETS:
        raise NotFound
    headers = {"X-Content-Type-Options": "nosniff"}
    if digest == DIGEST:  # Else it is asked for by a page of another copy of the service, older or newer than this one.
        headers["Cache-Control"] = FOREVER
    return Response(ASSETS[name], headers=headers, media_type=KINDS[Path(name).suffix])


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, which names HTML; a program that takes anything, or JSON, is given JSON."""
    accepted = ", ".join(request.headers.getlist("accept"))
    return "text/html" in accepted and "application/json" not in accepted


def page(request: Request, name: str, **facts: Any) -> Response:
    """The page of this name, in the language that the address asks for and that is kept from then on."""
    asked = request.query_params.get("lang")
    language = next((known for known in (asked, request.cookies.get(COOKIE)) if known in LANGUAGES), LANGUAGES[0])

    def said(key: str, **spoken: object) -> str:
        return catalogue.render(f"page.{key}", language, **spoken)

    text = TEMPLATES.get_template(f"pages/{name}.html").render(
        asset=lambda file: f"{STATIC}{DIGEST}/{file}",
        language=language,
        other=next(other for other in LANGUAGES if other != language),
        path=request.url.path,
        said=said,
        **facts,
    )
    headers = HEADERS | {"Content-Language": language, "Vary": "Accept, Cookie"}
    response = Response(text, headers=headers, media_type="text/html; charset=utf-8")
    if asked == language:
        response.set_cookie(COOKIE, language, COOKIE_SECONDS, httponly=True, samesite="lax")
    return response
