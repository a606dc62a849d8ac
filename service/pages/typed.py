"""From what was typed into a form to the body of a write and back, and what was wrong with which field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request

from service.bounds import fault
from service.http.parsing import MAX_BODY
from service.http.refusals import BodyTooLarge, FieldError, InvalidFields, InvalidUtf8, UnsupportedMediaType
from service.pages.forms import REPLACEMENT, Form, Question, question
from service.words import wording

Typed = dict[str, str]
"""What was typed into a form, by the names of its fields; of a list, several lines in one text."""


async def typed_in(request: Request) -> Typed:
    """The fields of a form that was sent. Raises `UnsupportedMediaType`, `BodyTooLarge`, `InvalidUtf8`, and
    `InvalidFields` for text that cannot be shown. A field that is there several times is a list, a line each."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > MAX_BODY:
            raise BodyTooLarge(most_kib=MAX_BODY // 1024)
    try:
        pairs = parse_qsl(sent.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2_000)
    except ValueError:
        raise InvalidUtf8 from None
    typed: Typed = {}
    for name, value in pairs:
        value = value.replace("\r\n", "\n")  # As a browser sends the lines of one field.
        if code := fault(value.replace("\n", " ")) or fault(name):
            raise InvalidFields([FieldError("", code, {})])
        typed[name] = f"{typed[name]}\n{value}" if name in typed else value
    return typed


ONLY_UNDO = "only_undo"
"""The field that says that an entry is only undone, and nothing entered instead."""


def body_of(form: Form, typed: Typed) -> dict[str, Any]:
    """The fields of a body as JSON has them. What cannot be read as its kind stays text, for the model to refuse; what
    was left empty is left out."""
    replaces = form.replacement is not None and typed.get(ONLY_UNDO) != "true"
    body: dict[str, Any] = {}
    for name in form.asked:
        if "." in name and (name in form.needed or question(form.body, name).is_required):
            _part_of(body, name)  # What is missing is missing in it.
    for asked in form.every_question(replaces=replaces):
        value = _rows(asked, typed) if asked.kind == "rows" else _value(asked, typed.get(asked.name, ""))
        if value is not None:
            _put(body, asked.name, value)
    if replaces and form.replacement and form.replacement.write.line:
        _put(body, f"{REPLACEMENT}type", form.replacement.write.line.type)
    return body


def _part_of(body: dict[str, Any], name: str) -> dict[str, Any]:
    """What a field stands in, made if it is not there."""
    for part in name.split(".")[:-1]:
        body = body.setdefault(part, {})
    return body


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    _part_of(body, name)[name.rpartition(".")[2]] = value


def _value(asked: Question, text: str) -> Any:
    text = text.strip()
    if asked.kind == "yes" and asked.is_required:
        return text == "true"  # A box that is not ticked is not sent.
    if not text:
        return None
    match asked.kind:
        case "amount":
            return _whole(re.sub(r"[.,\s\u00a0đ]", "", text))
        case "number" | "member" | "loan" | "advance":
            return _whole(text)
        case "choice" if text in asked.options:
            return _whole(text)
        case "rate":
            return _ppm(text)
        case "yes":
            return text == "true"
        case "months":
            return text.split("\n")
        case "members":
            return [_whole(number) for number in text.split("\n")]
    return text


def _ppm(text: str) -> int | str:
    """A rate in parts per million from one in per cent: `1`, `1,25`, `1.25 %`."""
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,4}))?\s*%?", text, re.ASCII)
    return int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0")) if found else text


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else text


# --- rows ---------------------------------------------------------------------------------------------------------

FIRST_ROWS: Final = 1
"""How many rows of a list are shown at first."""
MORE_ROWS: Final = 2
MOST_ROWS: Final = 500
"""More than any list may have."""


def _filled(asked: Question, typed: Typed) -> dict[int, Typed]:
    """What was typed into the rows of a list, by their place and then by their parts; not the empty ones."""
    rows: dict[int, Typed] = {}
    parts = "|".join(part.name for part in asked.parts)
    pattern = re.compile(rf"{re.escape(asked.name)}\.(\d{{1,3}})\.({parts})")
    for name, text in typed.items():
        if (found := pattern.fullmatch(name)) and text.strip():
            rows.setdefault(int(found[1]), {})[found[2]] = text
    return rows


def _rows(asked: Question, typed: Typed) -> list[dict[str, Any]]:
    """A list of things; rows that are all empty are left out."""
    return [
        {part.name: value for part in asked.parts if (value := _value(part, row.get(part.name, ""))) is not None}
        for _, row in sorted(_filled(asked, typed).items())
    ]


def closed_up(form: Form, typed: Typed) -> Typed:
    """What was typed, without empty rows between others: so the place of a row is that in the list."""
    for asked in form.every_question():
        if asked.kind == "rows":
            filled = sorted(_filled(asked, typed).items())
            typed = {name: text for name, text in typed.items() if not _is_in_a_row(asked, name)}
            for index, (_, row) in enumerate(filled):
                typed |= {f"{asked.name}.{index}.{part}": text for part, text in row.items()}
    return typed


def _is_in_a_row(asked: Question, name: str) -> bool:
    return name.startswith(f"{asked.name}.") and name != rows_of(asked)


def rows_of(asked: Question) -> str:
    """The field that says how many rows of a list are shown."""
    return f"{asked.name}.rows"


def rows_shown(asked: Question, typed: Typed) -> int:
    """How many rows of a list are shown: as many as were asked for, and at least all that are filled in."""
    asked_for = typed.get(rows_of(asked), "")
    shown = int(asked_for) if re.fullmatch(r"\d{1,3}", asked_for, re.ASCII) else FIRST_ROWS
    return min(max(shown, 1, 1 + max(_filled(asked, typed), default=0)), MOST_ROWS)


def typed_of(questions: Iterable[Question], known: Mapping[str, Any], language: str) -> Typed:
    """What would have been typed to say what is known, by the names of the fields."""
    typed: Typed = {}
    for asked in questions:
        value = known.get(asked.name)
        if asked.kind == "rows":
            for index, row in enumerate(value or ()):
                parts = (part._replace(name=f"{asked.name}.{index}.{part.name}") for part in asked.parts)
                known_row = {f"{asked.name}.{index}.{name}": each for name, each in row.items()}
                typed |= typed_of(parts, known_row, language)
        elif value is not None and value is not False:
            typed[asked.name] = _written(asked, value, language)
    return typed


def _written(asked: Question, value: Any, language: str) -> str:
    match asked.kind:
        case "amount":
            return wording.count(value, language)
        case "rate":
            return wording.rate(value, language).removesuffix("%")
        case "yes":
            return "true"
        case "months" | "members":
            return "\n".join(map(str, value))
    return str(value)


def with_more_rows(form: Form, typed: Typed, name: str) -> tuple[Typed, str]:
    """What was typed, with some more rows to be shown of the list of this name, and the id of the first new one."""
    for asked in form.every_question():
        if asked.kind == "rows" and asked.name == name:
            shown = rows_shown(asked, typed)
            return typed | {rows_of(asked): str(shown + MORE_ROWS)}, f"{name}.{shown}"
    return typed, ""


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is wrong with which field of a form, by its name: the errors of a problem with JSON pointers."""
    return {error["pointer"].strip("/").replace("/", "."): error for error in errors}
