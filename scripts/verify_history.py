#!/usr/bin/env python3
"""Kiểm tra sổ của một quỹ mà không cần tin máy chủ · Verify a fund's history without trusting the server.

Python 3.8 or later, nothing else. Reads the lines of `GET /v1/funds/F/history`, one entry each, and judges them by its
own copy of the rules; docs/verify.md says what each of them finds, and what only a check code in the paper book does.
Exit code: 0 intact; 1 broken, incomplete, or a check code that belongs to no entry; 2 wrong use.
"""

import argparse
import base64
import csv
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

# What an entry does to the books: its type (and kind), the pot, the account debited, the account credited, the amount.
BOOKING = """
ContributionReceived:dues     activity   {place}              contributions       amount
ContributionReceived:fine     activity   {place}              fines               amount
ContributionReceived:share    revolving  {place}              contributions       amount
ContributionReceived:savings  revolving  {place}              savings/{member}    amount
SavingsWithdrawn              revolving  savings/{member}     {place}             amount
DonationReceived              {pot}      cash                 donations           amount
InKindDonationReceived        {pot}      equipment            in_kind             value_of_items
IncomeReceived:collective     {pot}      {place}              collective          amount
IncomeReceived:bank_interest  {pot}      {place}              bank_interest       amount
IncomeReceived:other          {pot}      {place}              other_income        amount
ExpensePaid                   {pot}      expenses/{activity}  {place}             amount
PotTransferred                {from}     transfers            cash                amount
PotTransferred                {to}       cash                 transfers           amount
BankDeposited                 {pot}      bank                 cash                amount
BankWithdrawn                 {pot}      cash                 bank                amount
AdvanceReceived               revolving  cash                 advances/{advance}  amount
AdvanceRepaid                 revolving  advances/{advance}   cash                amount
LoanDisbursed                 revolving  loans/{loan}         {place}             principal
LoanRepaid                    revolving  {place}              loans/{loan}        principal
LoanRepaid                    revolving  {place}              interest            interest_kept
LoanRepaid                    activity   {place}              interest            interest_to_activity
LoanRepaid                    revolving  write_offs           loans/{loan}        forgiven
SavingsSetOff                 revolving  savings/{member}     loans/{loan}        principal
SavingsSetOff                 revolving  savings/{member}     interest            interest_kept
SavingsSetOff                 revolving  savings/{member}     transfers           interest_to_activity
SavingsSetOff                 activity   transfers            interest            interest_to_activity
LoanWrittenOff                revolving  write_offs           loans/{loan}        amount
LoanRecovered                 revolving  cash                 recoveries          amount
CashCounted                   activity   cash                 cash_over           over
CashCounted                   activity   cash_short           cash                short
CashCounted                   revolving  cash_short           cash                from_revolving
"""
NO_MONEY = """
FundOpened BylawsAdopted MemberJoined MemberChanged OfficeTaken OfficeLeft InspectionMade AttendanceCorrected
LoanRequested LoanApproved LoanRejected PeriodClosed PeriodReopened PlaceChanged
LoanRescheduled InterestWaived DuesForgiven MemberLeft MemberReturned MeetingHeld ActivityHeld MutualHelpGiven"""
REVERSED_MEMOS = set(NO_MONEY.split("\n")[-1].split())  # Those of the last line.
OPENING = ("OpeningBalancesDeclared", "OpeningBalancesCorrected")  # Cash that was there already: no voucher.
NEVER_REVERSED = {*OPENING, "EntryReversed", "FundDissolved"}
POTS = ["revolving", "activity"]
GUARDED = {"cash": 1, "bank": 1, "loans": 1, "equipment": 1, "savings": -1, "advances": -1}  # Never below zero.
LEFT = {
    "SavingsWithdrawn": {"savings_left": "savings/{member}"},
    "AdvanceRepaid": {"outstanding": "advances/{advance}"},
    "LoanRepaid": {"outstanding": "loans/{loan}"},
    "SavingsSetOff": {"outstanding": "loans/{loan}", "savings_left": "savings/{member}"},
}  # What these entries say is left of what is owed.
SAID = """
empty    | không có dòng nào                                  | there is no line
line     | chuỗi: không phải một dòng JSON gọn                | chain: not one line of compact JSON
fund     | chuỗi: dòng của quỹ khác                           | chain: a line of another fund
version  | chuỗi: thiếu, thừa hoặc đổi chỗ dòng               | chain: a line is missing, added or moved
prev     | chuỗi: không nối được với dòng ngay trước          | chain: does not follow from the line before it
time     | thời gian: ghi sớm hơn bút toán trước              | time: recorded earlier than the entry before it
day      | thời gian: ngày chưa đến, hoặc trước khi mở quỹ    | time: a day yet to come, or before the fund opened
field    | nội dung: thiếu hoặc sai một trường                | content: a field is missing or wrong
voucher  | chứng từ: không phải số phiếu tiếp theo            | vouchers: not the number that comes next
reversal | ghi số âm: không đúng với bút toán bị hủy          | reversals: not the negative of one entry, once
balance  | sổ sách: nợ và có trong một quỹ không bằng nhau    | books: debits and credits of a pot differ
stated   | sổ sách: số ghi trong dòng khác số tính lại        | books: states a figure that the lines do not add up to
negative | sổ sách: số dư cuối ngày âm                        | books: a balance is below zero at the end of the day
entries  | Quỹ {fund}: {n} bút toán                           | Fund {fund}: {n} entries
unknown  | CHƯA BIẾT loại {type}, từ bút toán số {n}          | UNKNOWN type {type}, from entry no. {n} on
code     | Mã {code}: bút toán số {n}, ngày {on}              | Code {code}: entry no. {n}, of {on}
no code  | Mã {code}: KHÔNG thuộc bút toán nào                | Code {code}: belongs to NO entry
broken   | ĐỨT ở bút toán số {n}: {why}                       | BROKEN at entry no. {n}: {why}
at       | Số dư cuối ngày {day} (đồng: nợ, có)               | Balances at the end of {day} (đồng: debit, credit)
other    | KHÁC với sổ đã có mã trên                          | DIFFERENT from the history that had this code
sealed   | Mốc số {number}, {made}: bút toán số {n} đúng mốc  | Checkpoint {number}, {made}: entry no. {n} is as sealed
unsealed | Mốc niêm phong: KHÔNG đúng với sổ này ({why})      | Checkpoint: does NOT fit this history ({why})
form     | không đọc được mốc hoặc chứng minh                 | the checkpoint or its proof cannot be read
proof    | chứng minh không dẫn đến gốc cây đã ký             | the proof does not lead to the signed root
head     | đầu sổ khác lúc niêm phong                         | another head than the sealed one
unsigned | Chữ ký chưa kiểm tra: dùng openssl hoặc microfund  | Signature not checked: use openssl or microfund
partial  | KHÔNG ĐẦY ĐỦ: có loại chưa biết                    | INCOMPLETE: there are types unknown here
intact   | NGUYÊN VẸN, mã kiểm tra {code}                     | INTACT, check code {code}
"""
MOVES_NOTHING, RULES = set(NO_MONEY.split()), defaultdict(list)
for row in BOOKING.strip().split("\n"):
    RULES[row.split()[0]].append(row.split()[1:])
WORDS = {row.split("|")[0].strip(): [part.strip() for part in row.split("|")[1:]] for row in SAID.strip().split("\n")}


def check_code(head):
    return grouped(base64.b32encode(bytes.fromhex(head)[:10]).decode())


def grouped(code):
    return "-".join(re.findall("....", code))


def parsed(line):
    """The entry a line holds. Raises ValueError unless the bytes are exactly how the service writes that entry."""
    e = json.loads(line.decode(), parse_float=int, parse_constant=int)  # As whole numbers they are a ValueError.
    if json.dumps(e, ensure_ascii=False, separators=(",", ":")).encode() != line or type(e) is not dict:
        raise ValueError(line)
    return e


def unmet(checks):
    return next((why for why, holds in checks if not holds), None)


def bookings(e):
    """What an entry does to the books: (pot, debit, credit, đồng) each; None for a type that is not known here."""
    if rules := RULES.get(f"{e['type']}:{e.get('kind')}") or RULES.get(e["type"]):
        off, borne = e.get("difference", 0), e.get("from_revolving", 0)
        own = {"place": "cash", "forgiven": 0, **e, "from_revolving": borne}
        own["over"], own["short"] = max(off, 0), max(-off, 0) - borne
        own["value_of_items"] = sum(item["value"] for item in e.get("items", ()))
        own["interest_kept"] = e.get("interest", 0) - e.get("interest_to_activity", 0)
        return [(*(part.format_map(own) for part in accounts), own[amount]) for *accounts, amount in rules]
    if e["type"] == "FundDissolved":
        return [(pot, "transfers", account, amount) for pot, account, amount, _ in e["remainder"]]
    if e["type"] in OPENING:
        found = [(pot, place, "opening", e[pot][place]) for pot in POTS for place in ("cash", "bank")]
        found += [("activity", "equipment", "opening", item["value"]) for item in e.get("equipment", ())]
        found += [("revolving", f"loans/{old['loan']}", "opening", old["outstanding"]) for old in e.get("loans", ())]
        found += [("revolving", "opening", f"savings/{old['member']}", old["amount"]) for old in e.get("savings", ())]
        found += [("revolving", "opening", f"advances/{a['advance']}", a["amount"]) for a in e.get("advances", ())]
        return found
    return [] if e["type"] in MOVES_NOTHING else None


def legs_of(e):
    """The entry's legs, {(pot, account): đồng}, debits positive; None if its type is unknown."""
    if e["type"] not in ("EntryReversed", "OpeningBalancesCorrected"):
        return booked(e)
    legs = Counter()
    for pot, account, amount, of in e["posted"]:
        legs[pot, account if of is None else f"{account}/{of}"] += amount
    return {key: amount for key, amount in legs.items() if amount}


def booked(e):
    """The legs that an entry's own figures make; None if its type is unknown."""
    legs, found = Counter(), bookings(e)
    for pot, debit, credit, amount in found or ():
        if type(amount) is not int or amount < 0 or e.get("place", "cash") not in ("cash", "bank"):
            raise ValueError(amount)
        legs[pot, debit] += amount
        legs[pot, credit] -= amount
    return None if found is None else {key: amount for key, amount in legs.items() if amount}


class History:
    """The lines of one fund, taken in one by one until one does not fit: `broken` says why, and its entry's number."""

    def __init__(self, lines, with_books=False):
        self.entries, self.heads, self.legs, self.unknown, self.reversed = [], ["0" * 64], [], {}, set()
        self.vouchers, self.daily, self.opening = Counter(), defaultdict(Counter), Counter()
        self.broken = None if lines else ("empty", 1)
        for version, line in enumerate(lines, 1):
            if why := self.what_is_wrong(line, version, with_books):
                self.broken = why, version
                return
        if with_books and (below := [n for n in map(self.below_zero, self.daily) if n]):
            self.broken = "negative", min(below)

    def what_is_wrong(self, line, version, with_books):
        """The first check that the line fails; if there is none, the line is taken in."""
        try:
            e = parsed(line)
        except (ValueError, RecursionError):
            return "line"
        try:
            if why := unmet(self.chain(e, version)):
                return why
            legs = legs_of(e)
            if why := unmet(self.papers(e, legs, version)):
                return why
            if with_books and not self.unknown and (why := unmet(self.stated(e, legs or {}))):
                return why
        except (LookupError, TypeError, ValueError, AttributeError):
            return "field"
        self.entries.append(e)
        self.heads.append(hashlib.sha256(line).hexdigest())
        self.legs.append(legs)
        if legs is None:
            self.unknown.setdefault(e["type"], version)
        for key, amount in (legs or {}).items():
            self.daily[key][e["on"]] += amount
        return None

    def chain(self, e, version):
        """Each line names its fund, its number and the line before it; time does not run backwards."""
        first, last = (self.entries[0], self.entries[-1]) if self.entries else (e, e)
        yield "line", list(e)[:4] == ["type", "fund", "version", "prev"]
        yield "fund", e["fund"] == first["fund"]
        yield "version", type(e["version"]) is int and e["version"] == version
        yield "prev", e["prev"] == self.heads[-1]
        then, now = (datetime.fromisoformat(one["recorded_at"].replace("Z", "+00:00")) for one in (last, e))
        yield "time", then <= now
        yield "field", date.fromisoformat(e["on"]).isoformat() == e["on"]
        today = (now + timedelta(hours=7)).date().isoformat()  # Viet Nam keeps UTC+7 all year.
        yield "day", first["on"] <= e["on"] <= today

    def papers(self, e, legs, version):
        """Vouchers run on without gaps by kind and year; a reversal undoes one entry, once, and shows its voucher."""
        number = e.get("voucher")
        pots = {pot: sum(n for (its_pot, _), n in (legs or {}).items() if its_pot == pot) for pot, _ in legs or ()}
        yield "balance", set(pots) <= set(POTS) and not any(pots.values())
        if e["type"] == "EntryReversed":
            wrong = e["reverses"]
            yield "reversal", 0 < wrong < version and wrong not in self.reversed
            undone, its_legs = self.entries[wrong - 1], self.legs[wrong - 1]
            yield "reversal", undone["type"] == e["entry"] not in NEVER_REVERSED and undone.get("voucher") == number
            yield "reversal", its_legs != {} or e["entry"] in REVERSED_MEMOS
            yield "reversal", its_legs is None or legs == {key: -amount for key, amount in its_legs.items()}
            self.reversed.add(wrong)
        else:
            moved = {} if e["type"] in OPENING else legs or {}
            cash = sum(n for (_, account), n in moved.items() if account == "cash")
            kind = "PT" if cash > 0 else "PC" if cash < 0 else (number or "")[:2] if legs is None else ""
            series = f"{kind}-{e['on'][:4]}-"
            self.vouchers[series] += 1
            yield "voucher", kind in ("PT", "PC", "")
            yield "voucher", number == (f"{series}{self.vouchers[series]:04d}" if kind else None)

    def stated(self, e, legs):
        """Figures of the books that an entry itself states, against what the lines up to it add up to."""
        for field, account in LEFT.get(e["type"], {}).items():
            owed = "revolving", account.format_map(e)
            yield "stated", e[field] == abs(sum(self.daily[owed].values()) + legs.get(owed, 0))
        if e["type"] in OPENING:
            self.opening.update(legs)
            yield "stated", {key: amount for key, amount in self.opening.items() if amount} == booked(e)
        if e["type"] in ("LoanRepaid", "SavingsSetOff"):
            yield "stated", e["amount"] == e["principal"] + e["interest"]
        if e["type"] == "MeetingHeld":
            yield "stated", e["book_closing"] == self.box(e["on"], POTS)
        if e["type"] == "CashCounted":
            yield "stated", e["expected"] == self.box(e["on"], POTS if e["pot"] == "both" else [e["pot"]])
            yield "stated", e["difference"] == e["counted"] - e["expected"]
        if e["type"] == "PeriodClosed":
            certified = {(pot, account): amount for pot, account, amount, _ in e["balances"]}
            yield "stated", certified == {k: n for k, n in self.balances(e["through"]).items() if k[1] in GUARDED}

    def box(self, day, pots):
        """The cash in the box at the end of a day, as far as it was known by then, in đồng."""
        return sum(n for pot in pots for on, n in self.daily[pot, "cash"].items() if on <= day)

    def balances(self, day):
        """{(pot, account): đồng} at the end of a day, debits positive, with all that lies beneath each account."""
        found = Counter()
        for (pot, account), moved in self.daily.items():
            found[pot, account.split("/")[0]] += sum(n for on, n in moved.items() if on <= day)
        return {key: amount for key, amount in found.items() if amount}

    def below_zero(self, key):
        """The entry by which a box, bank account, loan or debt ends a day below zero, in order of days; 0 for none."""
        balance, side = 0, GUARDED.get(key[1].split("/")[0], 0)
        for on in sorted(self.daily[key]):
            balance += self.daily[key][on] * side
            if balance < 0:
                moved = (n for n, legs in enumerate(self.legs, 1) if key in (legs or ()))
                return max(n for n in moved if self.entries[n - 1]["on"] == on)
        return 0


def print_postings(history):
    """A table for a spreadsheet: one row for each leg, debits positive."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("version", "on", "type", "voucher", "pot", "account", "part", "amount"))
    for version, e in enumerate(history.entries, 1):
        for (pot, account), n in (history.legs[version - 1] or {}).items():
            table.writerow((version, e["on"], e["type"], e.get("voucher", ""), pot, *account.partition("/")[::2], n))


def report(history, given, out):
    """Say what was found; answers the exit code."""
    entries, language = history.entries, ("vi", "en").index(given.lang)

    def say(word, **facts):
        print(WORDS[word][language].format(**facts), file=out)

    say("entries", fund=entries[0]["fund"] if entries else "-", n=len(entries))
    for kind, n in history.unknown.items():
        say("unknown", type=kind, n=n)
    places = {check_code(head): n for n, head in enumerate(history.heads) if n and given.code}
    for code in given.code:
        n = places.get(code)
        say("code" if n else "no code", code=code, n=n, on=entries[n - 1]["on"] if n else "")
    if history.broken:
        say("broken", n=history.broken[1], why=WORDS[history.broken[0]][language])
        return 1
    if given.checkpoint:
        why, facts = sealed(history, *given.checkpoint)
        say("unsealed" if why else "sealed", why=why and WORDS[why][language].split(": ")[-1], **facts)
        say("unsigned")
        if why:
            return 1
    if given.balances:
        day = given.as_of.isoformat() if given.as_of else max(e["on"] for e in entries)
        say("at", day=day)
        for (pot, account), n in sorted(history.balances(day).items()):
            row = f"  {pot:<10} {account:<14} {max(n, 0):>17,} {max(-n, 0):>17,}"
            print(row.replace(",", ".,"[language]), file=out)
    is_partial = history.unknown and (given.balances or given.csv)
    verdict = "other" if not set(given.code) <= set(places) else "partial" if is_partial else "intact"
    say(verdict, code=check_code(history.heads[-1]))
    return int(verdict != "intact")


def merkle_root(leaf, index, size, proof):
    """The root to which a leaf and the hashes beside it add up (RFC 9162, section 2.1.3.2); None if they cannot."""
    found, last = hashlib.sha256(b"\x00" + leaf).digest(), size - 1
    if not 0 <= index < size:
        return None
    for sibling in proof:
        if not last or len(sibling) != 32:
            return None
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        index, last = index >> 1, last >> 1
    return None if last else found


def sealed(history, note, proof):
    """Why the checkpoint does not vouch for this history, or None; then which entry it seals, and its own lines."""
    try:
        lines = [line.rstrip(" \t\r") for line in note.split("\n")]  # The post may change where they end.
        text, proof = lines[: lines.index("")], json.loads(proof)
        size, root, number, made = int(text[1]), text[2], text[3].split()[1], text[4].split()[1]
        fund, version, head = proof["leaf"].split(" ")
        beside = [base64.b64decode(one, validate=True) for one in proof["proof"]]
        found = merkle_root(proof["leaf"].encode(), proof["index"], size, beside)
    except (LookupError, TypeError, ValueError, AttributeError):
        return "form", {}
    n, entries = int(version) if version.isdecimal() else 0, history.entries
    checks = [("proof", found is not None and base64.b64encode(found).decode() == root)]
    checks += [("fund", bool(entries) and entries[0]["fund"] == fund)]
    checks += [("head", 0 < n < len(history.heads) and history.heads[n] == head)]
    return unmet(checks), {"number": number, "made": made, "n": n}


def code_argument(text):
    code = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch("[A-Z2-7]{16}", code):
        raise argparse.ArgumentTypeError("XXXX-XXXX-XXXX-XXXX, A-Z 2-7")
    return grouped(code)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", default="-", help="history.ndjson (-: stdin)")
    parser.add_argument("--code", action="append", type=code_argument, default=[], help="mã kiểm tra · check code")
    parser.add_argument("--checkpoint", help="mốc niêm phong · a checkpoint, checkpoint.txt")
    parser.add_argument("--proof", help="chứng minh của quỹ · the fund's proof in it, proof.json")
    parser.add_argument("--balances", action="store_true", help="tính lại số dư · recompute the balances")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="YYYY-MM-DD", help="cuối ngày nào · of which day")
    parser.add_argument("--csv", action="store_true", help="in bảng bút toán · print the postings as a table")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    given = parser.parse_args(arguments)
    given.balances = given.balances or given.as_of is not None
    if bool(given.checkpoint) != bool(given.proof):
        parser.error("--checkpoint --proof")
    try:
        if given.checkpoint:
            given.checkpoint = [Path(file).read_bytes().decode("utf-8-sig") for file in (given.checkpoint, given.proof)]
        content = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    # A newline after each line parts it from the next; it belongs to no line, and no hash covers it.
    lines = content[:-1].split(b"\n") if content.endswith(b"\n") else content.split(b"\n") if content else []
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    history = History(lines, given.balances or given.csv)
    if given.csv:
        print_postings(history)
    return report(history, given, sys.stderr if given.csv else sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
