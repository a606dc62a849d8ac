"""A member's passbook: who they are, what they brought and took, what they owe and which dues are open."""

from ledger.projections import dues, journal, loans, members
from ledger.projections.tables import Reader
from service.access.readers import note_shown, showing
from service.reads.people import named
from service.reads.query import Answer, FundQuery


def passbook(query: FundQuery, reader: Reader, member: int) -> Answer | None:
    """One member's statement, as the route answers it; None if there was no such member."""
    found = members.member(reader, query.fund, member, query.as_of)
    if found is None:
        return None
    borrowed = loans.loan_book(reader, query.fund, query.as_of, member=member)["items"]
    lines = journal.statement(reader, query.fund, member, query.as_of)
    asked = dues.monthly_dues(reader, query.fund, query.as_of, member=member)
    owed = [{"month": month.month, "amount": month.owed} for month in asked if month.owed]
    with showing([member]):
        note_shown()  # Also of one whose name was erased.
    return named(query, [found])[0] | {"loans": borrowed, "lines": lines, "dues_owed": owed}
