"""The table of writes leaves nothing out: every event can be sent, in a body that stands where it belongs."""

from typing import Any, get_args, get_type_hints

import pytest

from ledger.aggregates.fund import Fund
from ledger.events import EVENT_TYPES, Event
from service.writes.meetings import Meeting
from service.writes.routes import router
from service.writes.table import LINES, ON_SHEETS, WRITES, Write

OTHERWISE = {"MeetingHeld": "a whole sheet is sent, to a route of its own"}
"""Events that no row of the table records, each with its reason."""


def recorded_by(write: Write) -> set[type[Event]]:
    """The events a row's decision says it records."""
    hint = get_type_hints(write.decide)["return"]
    return set(get_args(hint) or (hint,))


SENT = {kind.__name__ for write in WRITES for kind in recorded_by(write)}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_can_be_sent_or_is_exempted_by_name(name: str) -> None:
    assert (name in SENT) != (name in OTHERWISE)


def test_what_is_exempted_is_an_event() -> None:
    assert OTHERWISE.keys() <= EVENT_TYPES.keys()


def test_a_meeting_is_what_no_row_records_and_its_sheet_does() -> None:
    assert get_args(get_type_hints(Fund.hold_meeting)["return"])[0] is EVENT_TYPES["MeetingHeld"]
    assert "lines" in Meeting.model_fields


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.path)
def test_a_body_stands_in_the_file_that_bears_the_name_of_its_events(write: Write) -> None:
    body = write.body.__module__.rpartition(".")[2]
    assert {kind.__module__.rpartition(".")[2] for kind in recorded_by(write)} == {body}


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.path)
def test_every_row_is_a_route_with_an_example_that_fits(write: Write) -> None:
    assert f"/v1{write.path}" in {getattr(route, "path", "") for route in router.routes}
    schema: Any = write.body.model_config["json_schema_extra"]
    (example,) = schema["examples"]
    write.body.model_validate(example)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_is_its_write_with_the_numbers_of_the_path(kind: str) -> None:
    write, line = ON_SHEETS[kind], LINES[kind]
    assert issubclass(line, write.body)
    assert line.model_fields.keys() - write.body.model_fields.keys() == {"type", "key", *write.numbers}


@pytest.mark.parametrize("kind", LINES)
def test_no_line_needs_what_only_the_path_of_an_entry_says(kind: str) -> None:
    """A line is recorded before it has a version: what names an entry by its version is no line."""
    assert "version" not in ON_SHEETS[kind].numbers
