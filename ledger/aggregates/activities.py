"""What a club does beside money: noted, and never refused for the books' sake."""

from __future__ import annotations

from ledger.aggregates.books import Books
from ledger.aggregates.log import EntryMetadata
from ledger.events import ActivityHeld, MutualHelpGiven
from ledger.events.activities import Area, HelpKind


class Activities(Books):
    """Decisions about what the club does."""

    def hold_activity(
        self, metadata: EntryMetadata, *, area: Area, participants: int, volunteers: int | None = None
    ) -> ActivityHeld:
        """Note an activity in one of the areas."""
        return self._record(ActivityHeld, metadata, area=area, participants=participants, volunteers=volunteers)

    def give_mutual_help(
        self,
        metadata: EntryMetadata,
        *,
        kind: HelpKind,
        quantity: int,
        unit: str,
        people: int,
        worth: int | None = None,
    ) -> MutualHelpGiven:
        """Note what members did for one another."""
        return self._record(
            MutualHelpGiven, metadata, kind=kind, quantity=quantity, unit=unit, people=people, worth=worth
        )
