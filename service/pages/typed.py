"""From what was typed into a form to the body of a write and back, and what was wrong with which field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
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
    for part in {
        name.partition(".")[0] for name in form.asked if "." in name and question(form.body, name).is_required
    }:
        body[part] = {}  # What is missing is missing in it.
    for asked in form.every_question(replaces=replaces):
        value = _items(typed, asked.name) if asked.kind == "items" else _value(asked, typed.get(asked.name, ""))
        if value is not None:
            _put(body, asked.name, value)
    if replaces and form.replacement and form.replacement.write.line:
        _put(body, f"{REPLACEMENT}type", form.replacement.write.line.type)
    return body


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    *parts, own = name.split(".")
    for part in parts:
        body = body.setdefault(part, {})
    body[own] = value


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


def _items(typed: Typed, name: str) -> list[dict[str, Any]]:
    """A list of things, `items.0.what` and so on; rows that are all empty are left out."""
    rows: dict[int, dict[str, Any]] = {}
    for key, text in typed.items():
        if (
            found := re.fullmatch(rf"{re.escape(name)}\.(\d{{1,2}})\.(what|quantity|unit|value)", key)
        ) and text.strip():
            kind: Any = {"quantity": "number", "value": "amount"}.get(found[2], "text")
            rows.setdefault(int(found[1]), {})[found[2]] = _value(Question(key, kind), text)
    return [rows[index] for index in sorted(rows)]


def typed_of(questions: Iterable[Question], known: Mapping[str, Any], language: str) -> Typed:
    """What would have been typed to say what is known, by the names of the fields."""
    typed: Typed = {}
    for asked in questions:
        value = known.get(asked.name)
        if asked.kind == "items":
            for index, item in enumerate(value or ()):
                typed |= {f"{asked.name}.{index}.{part}": str(text) for part, text in item.items()}
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


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is wrong with which field of a form, by its name: the errors of a problem with JSON pointers."""
    return {error["pointer"].strip("/").replace("/", "."): error for error in errors}
