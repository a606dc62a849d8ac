"""Whether a browser sends a request of our own pages, or another site made it do so."""

from typing import Final
from urllib.parse import urlsplit

from starlette.types import Scope

from service.http.parsing import header
from service.http.refusals import CrossSite

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
OWN: Final = ("same-origin", "none")
"""What Sec-Fetch-Site says of our own pages, and of what a person opened themselves."""


def refuse_cross_site(scope: Scope, own_origin: str | None) -> None:
    """Refuse a request that another site may have made a browser send, with the cookie of ours it holds. Raises
    `CrossSite`; also for what tells neither its site nor its origin, as old browsers and programs do."""
    if scope["method"] in SAFE:
        return
    site, origin = header(scope, b"sec-fetch-site"), header(scope, b"origin")
    if site is not None:
        is_own = site in OWN
    else:
        is_own = origin is not None and _is_own(origin, own_origin, header(scope, b"host"))
    if not is_own:
        raise CrossSite


def _is_own(origin: str, own_origin: str | None, host: str | None) -> bool:
    if own_origin is not None:
        return origin == own_origin
    told = urlsplit(origin)
    return told.scheme in ("http", "https") and bool(host) and told.netloc == host
