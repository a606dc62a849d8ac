"""What a club lent and what its pots moved, worked out from its stored lines alone (`domain.md` §4 and §5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from tests.support.bookkeeper import booked
from tests.support.reported_lines import OPENING, Line, Told, months_after, share

PRODUCTION = {"trade", "livestock", "crops", "small_business"}
ASSETS = ["cash", "bank", "loans", "equipment"]


class Money(Told):
    """The loans and the pots of one club in a period."""

    # --- loans ----------------------------------------------------------------------------------------------------

    @cached_property
    def loans(self) -> dict[int, Line]:
        """Of every loan: whose, what for, what happened to it."""
        loans: dict[int, Line] = {}
        for line in self.told:
            if line["type"] == "LoanRequested":
                loans[line["loan"]] = {name: line[name] for name in ("member", "purpose", "principal", "term_months")}
            for old in line.get("loans", ()) if line["type"] in OPENING else ():
                received = {"received_on": date.fromisoformat(old["disbursed_on"]), "mode": old["repayment_mode"]}
                loans[old["loan"]] = {
                    **old,
                    **received,
                    "off": [(line["version"], old["principal"] - old["outstanding"])],
                }
        for loan in loans.values():
            loan.setdefault("off", [])
        for line in self.live:
            loan = loans.get(line.get("loan", 0), {})
            match line["type"]:
                case "LoanApproved":
                    loan["mode"] = line["repayment_mode"]
                case "LoanDisbursed":
                    loan["received_on"] = self.day(line)
                case "LoanRepaid" | "SavingsSetOff":
                    loan["off"].append((line["version"], line["principal"] + line.get("forgiven", 0)))
                case "LoanWrittenOff":
                    loan["off"].append((line["version"], line["amount"]))
                case "LoanRescheduled":
                    loan["replanned"] = line
        for loan in loans.values():
            handed_out = loan["principal"] if "received_on" in loan else 0
            loan["left"] = handed_out - sum(amount for _, amount in loan["off"]) if handed_out else 0
        return loans

    def late(self, loan: Line) -> tuple[int, int]:
        """Overdue principal, and how many days late."""
        principal, term, starts, since = loan["principal"], loan["term_months"], loan["received_on"], 0
        if again := loan.get("replanned"):
            principal, term = again["outstanding"], again["term_months"]
            starts, since = self.day(again), again["version"]
        repaid = sum(amount for version, amount in loan["off"] if version > since)
        each = (principal + term * 500) // (term * 1000) * 1000
        promised, oldest = 0, None
        for month in range(1, term + 1):
            due = months_after(starts, month)
            if due >= self.until:
                break
            regular = 0 if loan["mode"] == "bullet" else min(each, principal - promised)
            promised += principal - promised if month == term else regular
            if promised > repaid and oldest is None:
                oldest = due
        return max(promised - repaid, 0), (self.until - oldest).days if oldest else 0

    @cached_property
    def lending(self) -> Line:
        loans = self.loans
        band = (f"under_{self.threshold}", f"{self.threshold}_69", "70_79", "80_plus")
        groups: dict[str, list[str]] = {
            "by_purpose": ["trade", "livestock", "crops", "small_business", "other"],
            "by_sex": ["female", "male"],
            "by_age": list(band),
            "by_poverty": ["poor", "near_poor", "hardship", "none"],
        }
        found: Line = dict.fromkeys(
            ("loans", "disbursed", "principal", "interest", "outstanding", "overdue", "written_off", "recovered"), 0
        )
        for name, values in groups.items():
            found[name] = {value: {"loans": 0, "disbursed": 0, "outstanding": 0} for value in values}

        def add(number: int, **amounts: int) -> None:
            loan = loans[number]
            who = self.people[loan["member"]]
            age = self.until.year - who["birth_year"]
            of_age = band[sum(age >= least for least in (self.threshold, 70, 80))]
            for name, amount in amounts.items():
                found[name] += amount
                for by, value in zip(groups, (loan["purpose"], who["sex"], of_age, who["poverty"]), strict=True):
                    found[by][value][name] += amount

        for sign, _, line in self.flows("LoanDisbursed"):
            add(line["loan"], loans=sign, disbursed=sign * line["principal"])
        for sign, _, line in self.flows("LoanRepaid", "SavingsSetOff"):
            for name in ("principal", "interest"):
                found[name] += sign * line[name]
            found["written_off"] += sign * line.get("forgiven", 0)
        for sign, _, line in self.flows("LoanWrittenOff"):
            found["written_off"] += sign * line["amount"]
        for sign, _, line in self.flows("LoanRecovered"):
            found["recovered"] += sign * line["amount"]
        at_risk = 0
        for number, loan in loans.items():
            if loan["left"]:
                overdue, days = self.late(loan)
                add(number, outstanding=loan["left"])
                found["overdue"] += overdue
                at_risk += loan["left"] if days > 30 else 0
        return found | {"par30": share(at_risk, found["outstanding"])}

    def borrowers(self) -> dict[str, set[int]]:
        since = months_after(self.until, -12) + timedelta(days=1)
        lent = [loan for loan in self.loans.values() if loan["purpose"] in PRODUCTION and "received_on" in loan]
        return {
            "current": {loan["member"] for loan in lent if loan["left"]},
            "in_period": {loan["member"] for loan in lent if loan["received_on"] >= since},
            "ever": {loan["member"] for loan in lent},
        }

    # --- pots -----------------------------------------------------------------------------------------------------

    @cached_property
    def moves(self) -> list[tuple[Line, Mapping[tuple[Any, ...], int]]]:
        """Every line with what it moves, by pot, account and what that is of."""
        return [(line, posted) for line in self.told if (posted := booked(line, self.all))]

    @cached_property
    def pots(self) -> Line:
        return {pot: self._pot(pot) for pot in ("revolving", "activity")}

    def _pot(self, pot: str) -> Line:
        held: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
        sides: dict[str, Counter[Any]] = {"received": Counter(), "paid": Counter()}
        for line, posted in self.moves:
            nets: Counter[Any] = Counter()
            for (its_pot, account, of), amount in posted.items():
                if its_pot == pot:
                    nets[account, of if account == "expenses" else None] += amount
            for (account, of), amount in nets.items():
                if account in ASSETS:
                    held[self.is_in(line)][account] += amount
                elif self.is_in(line):
                    is_undoing = line["type"] == "EntryReversed"
                    comes_in = line["type"] in OPENING or (amount < 0) is not is_undoing
                    part = of or self._source(line) if account in ("expenses", "donations") else None
                    sides["received" if comes_in else "paid"][account, part] += -amount if comes_in else amount
        closing = {account: held[False][account] + held[True][account] for account in ASSETS}
        return {
            "opening": sum(held[False].values()),
            **{side: self._parts(sums) for side, sums in sides.items()},
            "closing": {"total": sum(closing.values()), **closing},
        }

    def _source(self, line: Line) -> str:
        wrong: Line = self.all[line["reverses"] - 1] if line["type"] == "EntryReversed" else line
        return str(wrong["source"])

    @staticmethod
    def _parts(sums: Counter[Any]) -> Line:
        found: Line = {"total": sum(sums.values())}
        for (account, part), amount in sums.items():
            if part is None and amount:
                found[account] = amount
            elif amount:
                table = found.setdefault(account, {"total": 0})
                table["total"] += amount
                table[part] = amount
        return found

    def both_pots(self) -> bool:
        if not any(line["type"] == "BylawsAdopted" or line["type"] == "FundOpened" for line in self.told):
            return False
        closing = self.pots["revolving"]["closing"]
        return closing["total"] - closing["equipment"] > 0 and all(map(self._lived, ("revolving", "activity")))

    def _lived(self, pot: str) -> bool:
        days: dict[date, Counter[str]] = defaultdict(Counter)
        for line, posted in self.moves:
            for (its_pot, account, _), amount in posted.items():
                if its_pot == pot and account in ("cash", "bank", "loans"):
                    days[max(self.day(line), self.since - timedelta(days=1))][account] += amount
        holding, most, has_moved = 0, 0, False
        for day in sorted(days):
            holding += sum(days[day].values())
            most = max(most, holding)
            has_moved |= day >= self.since and any(days[day][place] for place in ("cash", "bank"))
        return most > 0 and has_moved

    def gifts(self) -> list[Line]:
        return [
            {
                "on": told["on"],
                "source": line["source"],
                "document": line.get("document"),
                "value": sign * sum(item["value"] for item in line["items"]),
            }
            for sign, told, line in self.flows("InKindDonationReceived")
        ]

    def sources(self) -> dict[tuple[str, bool], tuple[int, int]]:
        sums: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0])
        for sign, _, line in self.flows("DonationReceived", "InKindDonationReceived"):
            in_kind = "items" in line
            worth = sum(item["value"] for item in line["items"]) if in_kind else line["amount"]
            sums[line["source"], line["foreign"]][in_kind] += sign * worth
        return {key: (cash, in_kind) for key, (cash, in_kind) in sums.items() if cash or in_kind}
