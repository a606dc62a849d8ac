"""What an inspector holds on paper, looked for in a history: a check code, a printed head, a voucher's number."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from ledger.history import Verification
from ledger.history import verify as walk
from service.bounds import CHECK_CODE, HEAD, VOUCHER
from service.terminal import Mistake


class PaperReference(NamedTuple):
    """What stands on paper, to be found in a history."""

    code: str | None
    head: str | None
    voucher: str | None

    @classmethod
    def read(cls, code: str | None, head: str | None, voucher: str | None) -> "PaperReference":
        """As it was given. Raises `Mistake` for what nobody could have printed."""
        forms = {"--code": (code, CHECK_CODE), "--head": (head, HEAD), "--voucher": (voucher, VOUCHER)}
        for option, (text, form) in forms.items():
            if text is not None and not re.fullmatch(form, text):
                raise Mistake("not-as-printed", option=option)
        if code and head:
            raise Mistake("code-or-head")
        return cls(code, head, voucher)

    @property
    def is_given(self) -> bool:
        """Whether there is anything to be found."""
        return any(self)

    def walk(self, lines: Iterable[bytes]) -> Verification:
        """Verify a history and look in it."""
        return walk(lines, code=self.code, head=self.head, voucher=self.voucher)

    def is_found(self, found: Verification) -> bool:
        """Whether all of it is there."""
        has_place = found.matches_version is not None or not (self.code or self.head)
        return has_place and found.bearers != []

    def sentences(self, found: Verification, language: str) -> Iterator[str]:
        """What was found, a line each."""
        from service.words import catalogue

        if self.code or self.head:
            key = "verified.place" if found.matches_version else "verified.no_place"
            yield catalogue.phrase(key, language, text=self.code or self.head, version=found.matches_version)
        if found.bearers == []:
            yield catalogue.phrase("verified.no_bearer", language, voucher=self.voucher)
        for bearer in found.bearers or ():
            key = "verified.undone_bearer" if bearer.reversed_by else "verified.bearer"
            yield catalogue.phrase(key, language, voucher=self.voucher, **msgspec.structs.asdict(bearer))
