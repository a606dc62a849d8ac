"""The one door by which names go out; `access/readers.py` notes to whom."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ledger.projections import members
from ledger.projections.tables import Reader
from service.access.readers import showing
from service.reads.query import Answer, FundQuery


def named(query: FundQuery, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Members with the texts of the register in place of their digests."""
    digests = {(index, kind): person[kind] for index, person in enumerate(people) for kind in ("name", "phone")}
    with showing(person["member"] for person in people):
        texts = query.texts(digests)
    return [
        person | {kind: texts.get((index, kind)) for kind in ("name", "phone")} for index, person in enumerate(people)
    ]


def with_names(query: FundQuery, reader: Reader, page: Answer, items: Iterable[dict[str, Any]]) -> Answer:
    """A page with the `names` of the members its lines speak of, by number, for whoever may see them."""
    if not query.sees_people:
        return page
    numbers = sorted({item["member"] for item in items if item.get("member")})
    digests = {n: found["name"] for n in numbers if (found := members.member(reader, query.fund, n))}
    with showing(digests):
        return page | {"names": query.texts(digests)}


def namesakes(names: Iterable[str | None]) -> frozenset[str]:
    """The names that several members bear: wherever one of them is shown, the year of birth stands beside it."""
    counted = Counter(name for name in names if name)
    return frozenset(name for name, bearers in counted.items() if bearers > 1)
