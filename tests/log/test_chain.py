"""Claims about the line and the chain: what is stored, what is hashed, and which changes are found (`api.md`)."""

import copy
import hashlib
import json
import random
import re
from base64 import b32decode
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ledger.aggregates import kinds
from ledger.aggregates.fund import BrokenChain, Fund
from ledger.events import EVENT_TYPES, NO_HEAD, Entry, LoanRejected, check_code, decode, encode, head_of
from ledger.history import Verified, verify
from tests.support.village import FUND, given, gives, joins, last, lines, metadata, replayed, state, village, whole_life

LIFE = whole_life()
LINES = lines(LIFE)
OF_TYPE = {event.name: event for event in LIFE.entries}


# The line


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_of_event_comes_back_from_its_line_as_it_was(name):
    event = OF_TYPE[name]
    assert decode(encode(event)) == event
    assert encode(decode(encode(event))) == encode(event)
    assert type(decode(encode(event))) is EVENT_TYPES[name]


@pytest.mark.parametrize("line", LINES, ids=[f"{event.version}-{event.name}" for event in LIFE.entries])
def test_a_line_is_compact_json_that_begins_with_what_it_is_and_where_it_belongs(line):
    fields = json.loads(line)
    assert list(fields)[:4] == ["type", "fund", "version", "prev"]
    assert list(fields)[4:7] == ["on", "recorded_at", "recorded_by"]
    assert b"\n" not in line
    assert json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() == line


def test_every_line_names_the_sha256_of_the_line_before_it_and_the_first_one_zeros():
    prev = "0" * 64
    for number, line in enumerate(LINES, 1):
        fields = json.loads(line)
        assert (fields["version"], fields["prev"], fields["fund"]) == (number, prev, FUND)
        prev = hashlib.sha256(line).hexdigest()
    assert LIFE.head == prev


def test_the_check_code_is_the_first_eighty_bits_of_the_head_in_base32():
    code = check_code(LIFE.head)
    assert [len(part) for part in code.split("-")] == [4, 4, 4, 4]
    assert b32decode(code.replace("-", "")) == bytes.fromhex(LIFE.head)[:10]


def test_an_instant_is_stored_in_utc():
    for line in LINES:
        assert json.loads(line)["recorded_at"].endswith("Z")


def test_who_recorded_it_and_the_request_are_in_the_line_and_no_text_is():
    fund = village()
    fund.pay_expense(metadata("2024-02-05", key="sheet-0007", note="5d1e"), activity="health", amount=9_000)
    fields = json.loads(lines(fund)[-1])
    assert fields["recorded_by"] == "treasurer"
    assert fields["request"] == {"key": "sheet-0007", "digest": "digest of sheet-0007"}
    assert fields["texts"] == {"note": "5d1e"}


def test_a_request_is_remembered_with_all_the_facts_it_made():
    fund = given(joins())
    fund.take_office(metadata("2024-02-05", key="office-0001"), member=1, office="chair")
    joins()(fund)
    fund.take_office(metadata("2024-03-05", key="office-0002"), member=2, office="chair")
    first, second = fund.recorded_request("office-0001"), fund.recorded_request("office-0002")
    assert first
    assert second
    assert fund.recorded_request("office-0003") is None
    assert (first.first, first.last, first.digest) == (4, 4, "digest of office-0001")
    assert [event.name for event in fund.entries[second.first - 1 : second.last]] == ["OfficeLeft", "OfficeTaken"]


# Replay


@pytest.mark.parametrize("version", range(1, len(LINES) + 1))
def test_a_replay_knows_all_that_the_living_fund_knew_after_every_fact(version):
    """Deciding and replaying are the same applying: to the last field, after each type of event."""
    step_by_step = Fund(FUND)
    for entry in LIFE.pending[:version]:
        step_by_step.apply(entry)
    assert state(replayed(LINES[:version])) == state(step_by_step)


def test_a_replay_ends_where_the_living_fund_is():
    assert state(replayed(LINES)) == state(LIFE)


def test_applying_never_refuses_whatever_rule_a_decision_would_have_broken():
    """A rule made stricter later must not keep an old fund from loading."""
    fund = given(gives(1_000, pot="activity"))
    spent = fund.pay_expense(metadata("2024-02-05"), activity="health", amount=1_000)
    overdrawn = msgspec.structs.replace(spent, amount=5_000_000, version=fund.version + 1, prev=fund.head)
    fund.apply(Entry(overdrawn, encode(overdrawn)))
    assert fund.balances["activity", "cash", None] == -5_000_000


# What is found


def broken_at(stored: list[bytes]) -> int | None:
    """Where loading stops, and the verifier agrees."""
    found = verify(stored)
    try:
        replayed(stored)
        stopped_at = None
    except BrokenChain as broken:
        stopped_at = broken.version
    assert (found.valid, found.first_broken) == (stopped_at is None, stopped_at)
    assert found.entries == (stopped_at - 1 if stopped_at else len(stored))
    return stopped_at


def test_an_untouched_history_is_whole():
    found = verify(LINES)
    assert broken_at(LINES) is None
    assert (found.fund, found.head, found.check_code) == (FUND, LIFE.head, check_code(LIFE.head))


def test_an_empty_history_is_whole_and_of_no_fund():
    assert verify([]) == msgspec.structs.replace(verify(LINES[:0]), fund=None, entries=0, head=NO_HEAD)


def test_a_changed_amount_is_found_at_the_line_that_follows():
    changed = [line.replace(b'"amount":300000', b'"amount":300001') for line in LINES]
    where = next(n for n, (line, other) in enumerate(zip(LINES, changed, strict=True), 1) if line != other)
    assert broken_at(changed) == where + 1


@pytest.mark.parametrize("where", [1, 2, 20, len(LINES) - 1])
def test_a_removed_line_is_found_where_it_is_missing(where):
    assert broken_at(LINES[: where - 1] + LINES[where:]) == where


@pytest.mark.parametrize("where", [1, 2, 20, len(LINES) - 1])
def test_two_lines_that_changed_places_are_found(where):
    assert broken_at([*LINES[: where - 1], LINES[where], LINES[where - 1], *LINES[where + 1 :]]) == where


@pytest.mark.parametrize("where", [1, 20, len(LINES)])
def test_an_inserted_line_is_found(where):
    assert broken_at([*LINES[:where], LINES[where - 1], *LINES[where:]]) == where + 1
    forged = msgspec.structs.replace(LIFE.entries[where - 1], version=where + 1, prev=head_of(LINES[where - 1]))
    follows = broken_at([*LINES[:where], encode(forged), *LINES[where:]])
    assert follows == (where + 2 if where < len(LINES) else None), "a forged tail fits: only an earlier code tells"


@pytest.mark.parametrize("together", [1, 2, 7, 1_024])
def test_what_breaks_first_is_told_however_many_entries_are_applied_at_once(together, monkeypatch):
    monkeypatch.setattr(kinds, "TOGETHER", together)
    assert state(replayed(LINES)) == state(LIFE)
    twice = [*LINES[:9], LINES[8]]
    of_no_loan = encode(LoanRejected(loan=99, member=1, **envelope(version=20, prev=head_of(LINES[18]))))
    for stored, broken in (
        ([*twice, *LINES[10:19], UNREADABLE, *LINES[20:]], 10),
        ([*LINES[:19], UNREADABLE, *LINES[20:24], LINES[3], *LINES[25:]], 20),
        ([*twice, *LINES[10:19], of_no_loan, *LINES[20:]], 10),
        ([*LINES[:19], of_no_loan, *LINES[20:24], UNREADABLE], 20),
    ):
        with pytest.raises(BrokenChain) as stopped:
            kinds.replay(None, read(stored))
        assert stopped.value.version == broken


UNREADABLE = b"{"


def read(stored: list[bytes]) -> Iterator[Entry]:
    """The entries of a log as its store reads them."""
    for version, line in enumerate(stored, 1):
        if line == UNREADABLE:
            raise BrokenChain(FUND, version)
        yield Entry(decode(line), line)


def envelope(**changes: Any) -> dict[str, Any]:
    """What every event says, as the latest one does."""
    said = last(LIFE)
    return {"fund": FUND, "on": said.on, "recorded_at": said.recorded_at, "recorded_by": said.recorded_by} | changes


def test_another_funds_line_is_found_though_it_fits_by_number_and_hash():
    stranger = msgspec.structs.replace(last(LIFE), fund="LS-CHIEN-THANG", version=21, prev=head_of(LINES[19]))
    assert broken_at([*LINES[:20], encode(stranger), *LINES[20:]]) == 21
    other = Fund("LS-CHIEN-THANG")
    with pytest.raises(BrokenChain) as broken:
        other.apply(LIFE.pending[0])
    assert (broken.value.fund, broken.value.version) == ("LS-CHIEN-THANG", 1)


def test_a_history_that_begins_in_the_middle_is_found():
    assert broken_at(LINES[1:]) == 1


def test_a_line_written_again_with_a_space_is_found():
    spaced = json.dumps(json.loads(LINES[9]), ensure_ascii=False).encode()
    assert decode(spaced) == LIFE.entries[9]
    stored = [*LINES[:9], spaced, *LINES[10:]]
    assert verify(stored).first_broken == 10
    with pytest.raises(BrokenChain) as stopped:  # What is loaded is known to be other bytes by the line after it.
        replayed(stored)
    assert stopped.value.version == 11


def test_a_line_that_is_no_json_or_no_line_is_named():
    for nonsense in (b"", b"{", b"[]", b"null", LINES[9][:-1], b'{"type":"FundOpened"}'):
        found = verify([*LINES[:9], nonsense, *LINES[10:]])
        assert (found.valid, found.first_broken, found.entries) == (False, 10, 9)


def test_any_changed_byte_but_in_the_last_line_is_found():
    choose = random.Random(47)
    for _ in range(300):
        number = choose.randrange(len(LINES) - 1)
        line = bytearray(LINES[number])
        place = choose.randrange(len(line))
        line[place] ^= 1 << choose.randrange(8)
        found = verify([*LINES[:number], bytes(line), *LINES[number + 1 :]])
        assert not found.valid
        assert found.first_broken in (number + 1, number + 2)


# What only an earlier check code tells


def test_a_cut_off_tail_is_only_found_by_who_holds_an_earlier_check_code():
    code = check_code(head_of(LINES[29]))
    cut = verify(LINES[:25], code=code)
    assert (cut.valid, cut.first_broken, cut.matches_version) == (True, None, None)
    assert verify(LINES, code=code).matches_version == 30
    assert verify(LINES[:30], code=code).matches_version == 30


def test_a_changed_last_line_is_only_found_by_who_holds_its_check_code():
    changed = [*LINES[:-1], LINES[-1].replace(b'"recorded_by":"treasurer"', b'"recorded_by":"treasuree"')]
    assert changed != LINES
    assert broken_at(changed) is None
    assert verify(changed, code=check_code(LIFE.head)).matches_version is None


@pytest.mark.parametrize("kind", ["ContributionReceived", "ExpensePaid", "LoanRepaid"])
def test_a_last_line_of_more_money_than_any_number_here_holds_breaks_the_history(kind):
    place = next(place for place, line in enumerate(LINES) if f'"{kind}"'.encode() in line)
    forged = re.sub(rb'"amount":\d+', b'"amount":' + b"9" * 30, LINES[place])
    with pytest.raises(BrokenChain) as broken:
        kinds.replay(None, [Entry(decode(line), line) for line in (*LINES[:place], forged)])
    assert broken.value.version == place + 1


def test_a_history_forged_from_a_line_on_fits_but_no_code_from_there_on_does():
    forged = given(gives(1))
    honest = given(gives(2))
    assert verify(lines(forged), code=check_code(honest.head)).valid
    assert verify(lines(forged), code=check_code(honest.head)).matches_version is None
    assert verify(lines(forged), code=check_code(head_of(lines(honest)[1]))).matches_version == 2


# Nothing foreign is read


@pytest.mark.parametrize("kind", ["Bribe", "os.system", "ledger.events.money:ExpensePaid", "Event", "Voucher", ""])
def test_an_unknown_type_of_event_is_never_looked_up(kind):
    line = LINES[9].replace(b'"type":"%s"' % LIFE.entries[9].name.encode(), b'"type":"%s"' % kind.encode())
    assert line != LINES[9]
    with pytest.raises(msgspec.ValidationError):
        decode(line)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_unknown_field_makes_it_no_line_of_ours(name):
    line = encode(OF_TYPE[name])
    with pytest.raises(msgspec.ValidationError):
        decode(line[:-1] + b',"colour":"red"}')


FREE = {"texts", "notes", "refused"}
"""Fields that map names to values, whatever the names are."""


def enlarged() -> Iterator[tuple[str, bytes]]:
    """Each event that holds objects or legs, with one more field or place in one of them."""
    for name, event in OF_TYPE.items():
        fields = json.loads(encode(event))
        for field in fields.keys() - FREE:
            more = copy.deepcopy(fields)
            inside = more[field] if isinstance(more[field], list) else [more[field]]
            if inside and isinstance(inside[0], dict):
                inside[0]["colour"] = "red"
            elif inside and isinstance(inside[0], list):
                inside[0].append(1)
            else:
                continue
            yield f"{name}.{field}", json.dumps(more).encode()


ENLARGED = dict(enlarged())


@pytest.mark.parametrize("where", sorted(ENLARGED))
def test_an_unknown_field_in_what_an_event_holds_makes_it_no_line_of_ours(where):
    with pytest.raises(msgspec.ValidationError):
        decode(ENLARGED[where])


def test_a_history_verified_again_is_found_as_by_who_sees_it_for_the_first_time() -> None:
    verified = Verified(most_funds=2)
    changed = [*LINES[:9], LINES[9].replace(b'"recorded_by":"', b'"recorded_by":"x', 1), *LINES[10:]]
    spaced = [*LINES[:9], LINES[9] + b" ", *LINES[10:]]
    foreign = [*LINES[:-1], LINES[-1].replace(FUND.encode(), b"LS-QQ-BACSON", 1)]
    for history in (LINES[:20], LINES, LINES[:30], changed, LINES, spaced, foreign, [], LINES[1:]):
        assert verified.verify(FUND, list(history)) == verify(history)


def test_histories_asked_about_longest_ago_are_forgotten() -> None:
    verified = Verified(most_funds=1)
    verified.verify(FUND, list(LINES))
    verified.verify("LS-OTHER", list(LINES))

    assert list(verified._whole) == ["LS-OTHER"]
