"""What an operator must put right before anything can be done: a code and facts, for whoever puts them into words.

Not refusals: no rule of the club is broken, and nobody who records can do anything about it. The words are in the
catalogue (`service/words/messages/commands.toml`, under `mistake`), by area and code.
"""

from typing import Any, ClassVar


class Fault(Exception):
    """Something is not as it must be. `code` says what, within the class's `area`; `facts` are numbers and texts."""

    area: ClassVar[str]

    def __init__(self, code: str, /, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        facts = ", ".join(f"{name} = {fact}" for name, fact in self.facts.items())
        return f"{self.area}: {self.code}" + (f" ({facts})" if facts else "")
