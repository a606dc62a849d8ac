"""How what stands on paper is written; the command line knows it without loading the bodies of requests."""

from typing import Final

CHECK_CODE: Final = "[A-Z2-7]{4}(-[A-Z2-7]{4}){3}"
HEAD: Final = "[0-9a-f]{64}"
VOUCHER: Final = "P[TC]-[0-9]{4}-[0-9]{4,9}"
SEED: Final = "(?=[^0-9]*[0-9])[A-Za-z0-9._:-]{4,64}"
