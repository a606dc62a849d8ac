"""Routes that FastAPI looks into when they are first asked for, not when the program starts.

To work out what all our routes read takes as long as half of all imports, and a program that was killed is missed by a
whole meeting until it answers again.
"""

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path


class LateRoute(APIRoute):
    """FastAPI's route; at first it knows only what requests are matched by."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        self._given: dict[str, Any] = {"path": path, "endpoint": endpoint, **given}
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in given.get("methods") or ("GET",)}

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of a route is there once FastAPI has looked into it."""
        if name == "_given" or "_given" not in self.__dict__:
            raise AttributeError(name)
        super().__init__(**self.__dict__.pop("_given"))
        return getattr(self, name)
