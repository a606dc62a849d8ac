"""The API's document as a page that people read: made here, from the same document, with nothing loaded from elsewhere.

The usual documentation pages fetch their scripts from a content network, which a district office without internet has
not, and which would learn who reads.
"""

from functools import lru_cache
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from service.templating import TEMPLATES

router = APIRouter()


POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The API's document, to be read."""
    page = _page(request.app, str(request.base_url))
    return Response(page, headers={"Content-Security-Policy": POLICY}, media_type="text/html; charset=utf-8")


@lru_cache(maxsize=4)
def _page(app: Any, base: str) -> str:
    document = app.openapi()
    chapters: dict[str, list[dict[str, Any]]] = {"Records": [], "Reads": [], "Operation": []}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            reads = "Reads" if method == "get" else "Records"
            chapter = reads if path.startswith("/v1") else "Operation"
            chapters[chapter].append(_operation(document, path, method, operation))
    return TEMPLATES.get_template("http/docs.html").render(base=base, chapters=chapters.items())


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": [
            {"required": False, "schema": {}, "description": "", **parameter}
            for parameter in operation.get("parameters", ())
        ],
        "example": next(iter(schema.get("examples", ())), None),
        "fields": schema.get("properties", {}),
        "required": schema.get("required", ()),
        "answers": {status: answer["description"] for status, answer in operation["responses"].items()},
    }
