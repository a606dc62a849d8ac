"""The meeting's sheet, which works without a network: what the worker of a phone keeps, and the worker itself.

The page is a shell: it names nobody and no club, so that the phone may keep it. What is on the sheet comes from
`GET /v1/funds/F/sheet`, and what was written goes to `POST /v1/funds/F/meetings`; both are for the scripts in
`static/`: `store.js` keeps, `send.js` sends, `sheet.js` shows, `worker.js` answers when nobody else does.
"""

from typing import Final, get_args

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.events.money import Activity, DonationSource
from service.access.authentication import STATIC
from service.access.roles import WRITERS, admitted
from service.http.compression import compressed
from service.pages.club import CLUB
from service.pages.layout import DIGEST, PageRoute, language_for, page
from service.words import catalogue

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SCRIPT: Final = "page.meeting.script."
"""Where the words begin that scripts say."""

WORKER: Final = f'import "{STATIC}{DIGEST}/worker.js";\n'
"""The worker is the module of that name; its address changes whenever an asset does, and the phone then keeps anew."""

ICONS: Final = (180, 512)
"""Pixels a side of the icon's pictures, for home screens that take no drawing; `scripts/pictures.py` makes them."""

ASKED_EACH_TIME: Final = {"Cache-Control": "no-cache"}


@router.get(CLUB + "/meeting", dependencies=[Depends(admitted(WRITERS))])
async def meeting(request: Request) -> Response:
    """The sheet of a meeting."""
    return _shell(request)


@router.get("/offline/meeting")
async def shell(request: Request) -> Response:
    """The same sheet of no club, for a phone to keep before it is needed."""
    return _shell(request)


@router.get("/offline")
async def offline(request: Request) -> Response:
    """What a phone shows instead of a page that it cannot reach."""
    return _kept(request, page(request, "offline"))


@router.get("/sw.js")
async def worker() -> Response:
    """The worker, asked for anew each time the phone looks whether there is another one."""
    headers = ASKED_EACH_TIME | {"Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'"}
    return Response(WORKER, headers=headers | {"X-Content-Type-Options": "nosniff"}, media_type="text/javascript")


@router.get("/manifest.webmanifest")
async def manifest(request: Request) -> Response:
    """What a phone needs to know to put the book on its home screen."""
    language = language_for(request)
    found = {
        "name": catalogue.render("page.install.name", language),
        "short_name": catalogue.render("page.install.short", language),
        "lang": language,
        "id": "/",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#fffdf6",
        "theme_color": "#14532d",
        "icons": [
            {"src": f"{STATIC}{DIGEST}/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            *(
                {"src": f"{STATIC}{DIGEST}/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
                for size in ICONS
            ),
        ],
    }
    return Response(msgspec.json.encode(found), headers=ASKED_EACH_TIME, media_type="application/manifest+json")


def _shell(request: Request) -> Response:
    words = script_words(language_for(request))
    return _kept(
        request,
        page(request, "meeting", words=words, sources=get_args(DonationSource), activities=get_args(Activity)),
    )


def _kept(request: Request, response: Response) -> Response:
    """A page about nobody: the phone may keep it, and it is compressed."""
    response.headers.update(ASKED_EACH_TIME)
    return compressed(request, response)


def script_words(language: str) -> dict[str, str]:
    """What scripts say, by the last part of its key; the names of facts stay in braces for the script to fill in."""
    return {
        key.removeprefix(SCRIPT): catalogue.phrase(
            key, language, **{name: f"{{{name}}}" for name, _ in catalogue.fields(key, language)}
        )
        for key in catalogue.every_key()
        if key.startswith(SCRIPT)
    }
