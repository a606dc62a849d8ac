"""What every body of a request is: a strict model with the bounds of every field and an example.

Field names are those of the fund's own methods, so that `facts()` is a call's arguments. What is written about people
(`PERSONAL`) never reaches an event; it goes to the register beside the log.
"""

from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from service.http.fields import (
    Day,
)


class Body(BaseModel):
    """Strict: every field known, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    PERSONAL: ClassVar[tuple[str, ...]] = ()
    """Fields written about people, by the name they have in `texts`."""

    def facts(self) -> dict[str, Any]:
        """The arguments of the fund's method: without the day, a line's marks and what is about people."""
        aside = _ASIDE if not self.PERSONAL else _ASIDE.union(self.PERSONAL)
        return {name: value for name, value in vars(self).items() if value is not None and name not in aside}

    def texts(self) -> dict[str, str]:
        """What was written about people, by kind."""
        return {name: text for name in self.PERSONAL if (text := getattr(self, name)) is not None}


_ASIDE: Final = frozenset({"on", "type", "key"})


class Dated(Body):
    """What happened on a day; today in the village if none is given."""

    on: Day | None = None


def example(**fields: Any) -> ConfigDict:
    """A body to show in the API's document, and to try out."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Nothing(Body):
    """Nothing is to be told: the address says it all."""

    model_config = example()
