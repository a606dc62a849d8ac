"""Answers in JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import Response


def in_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with this content as JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")
