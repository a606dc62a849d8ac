"""Lines: what a meeting's sheet has many of, and what may take the place of a reversed entry.

A line is the body of a write with its `type` beside it, and it names in itself what a path would name elsewhere.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from service.http.body import Dated, example
from service.http.fields import Code, Number

LineKey = Annotated[str, Code("[A-Za-z0-9_-]{8,64}")]


def line_of(body: type[Dated], kind: str, numbers: Sequence[str]) -> type[Dated]:
    """The body with the marks of a line of this kind. Its key is needed only on a meeting's sheet."""
    marks: dict[str, Any] = {"type": Literal[kind], "key": LineKey | None} | dict.fromkeys(numbers, Number)
    schema: Any = body.model_config["json_schema_extra"]
    fields = {
        "__annotations__": marks,
        "__module__": __name__,
        "__doc__": body.__doc__,
        "key": None,
        "model_config": example(type=kind, **dict.fromkeys(numbers, 1), **schema["examples"][0]),
    }
    make: Any = type(body)
    line: type[Dated] = make(f"{body.__name__}Line", (body,), fields)
    return line
