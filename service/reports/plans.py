"""A plan as it is told: the file as JSON, with the words of its targets in both languages."""

from typing import Any, Final

import msgspec

from ledger.plans import Plan, Plans
from ledger.reports.indicators import INDICATORS, OF_ALL
from service.words import catalogue
from service.words.wording import LANGUAGES

Answer = dict[str, Any]

WORDS: Final = ("name", "definition", "numerator", "denominator")
"""What the catalogue says of an indicator."""


def plans_listed(plans: Plans) -> Answer:
    """All plans, by code."""
    names = ("code", "number", "date", "issuer", "title", "valid_from", "valid_to", "parent", "province")
    return {"items": [{name: getattr(plans[code], name) for name in names} for code in sorted(plans)]}


def plan_told(plan: Plan) -> Answer:
    """One plan, whole, and the dictionary of indicators."""
    told: Answer = msgspec.to_builtins(plan)
    told |= {name: getattr(plan, name) for name in plan.__struct_fields__ if name not in told}
    told["counts"] = plan.counts if plan.counts == "plan" else msgspec.to_builtins(plan.counts)
    told["targets"] = [
        {name: getattr(target, name) for name in target.__struct_fields__} | words_of(target.id)
        for target in plan.target
    ]
    told["budget"] = [{name: getattr(line, name) for name in line.__struct_fields__} for line in plan.budget]
    told["well_managed"] = {name: getattr(plan.well_managed, name) for name in plan.well_managed.__struct_fields__}
    del told["target"]
    return told | {"indicators": indicators_told()}


def words_of(indicator: str) -> Answer:
    """An indicator's words in both languages: `{name: {vi, en}, definition: …, numerator: …, denominator: …}`."""
    return {
        word: {language: catalogue.render(f"indicator.{indicator}.{word}", language) for language in LANGUAGES}
        for word in WORDS
    }


def indicators_told() -> list[Answer]:
    """The dictionary: each indicator with its clause, its kind and its words."""
    told = [{"id": id, "clause": each.clause, "kind": each.kind, **words_of(id)} for id, each in INDICATORS.items()]
    return told + [{"id": id, "clause": clause, "kind": "total", **words_of(id)} for id, clause in OF_ALL.items()]
