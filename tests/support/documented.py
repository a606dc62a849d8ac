"""The API's document, and whether what the service answers is in it."""

import re
from functools import cache, lru_cache
from typing import Any

from service.app import create_app
from service.settings import Settings

UNDOCUMENTED = (405, 500)
"""No answers of an operation: another method than it has, and a fault of the service, which tests bring about."""


def is_documented(response: Any) -> None:
    """Whatever a test asks for, the answer's status is one that the API's document names."""
    method, path, status = response.request.method, response.request.url.path, response.status_code
    statuses = _statuses(method.lower().replace("head", "get"), path)
    assert statuses is None or status in UNDOCUMENTED or str(status) in statuses, f"{method} {path}: {status}"


@lru_cache(5_000)
def _statuses(method: str, path: str) -> frozenset[str] | None:
    """With which an operation may be answered, by the API's document; None where it has none."""
    for template, operations in _operations():
        if method in operations and template.fullmatch(path):
            return frozenset(operations[method]["responses"])
    return None


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """The operations of the API's document by their addresses, those without a parameter first."""
    paths = api_document()["paths"]
    templates = sorted(paths, key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), paths[path]) for path in templates]


@cache
def api_document() -> dict[str, Any]:
    """The API's document, made once; nobody may change it."""
    return create_app(Settings()).openapi()
