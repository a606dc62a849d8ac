"""The settings of the service: from the environment or `.env`, prefix `MICROFUND_`.

Everything has a default that works; what is set wrongly is refused at start, in words.
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.checkpoints.notes import NAME
from ledger.faults import Fault
from ledger.flags import Thresholds
from ledger.storage import environment


class Settings(BaseSettings):
    """What an operator may choose. Times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="MICROFUND_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_nested_delimiter="_",
        env_nested_max_split=1,
    )

    database: str = "sqlite:///microfund.db"
    """`sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    origin: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")] | None = None
    """Under which address people reach the service, such as `https://so-quy.example`: for invitations, and to know what
    browsers send from our own pages. By default what the request's Host says, which behind TLS is not enough."""
    max_cached_entries: Annotated[int, Field(ge=1)] = 300_000
    """What the funds in memory may take together, in entries of about 1 KB: of an old fund few of these lie there, and
    its state counts as some 150."""
    read_wait_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long a read waits for the read model to have what it must show."""
    checkpoint_key: str = "microfund-checkpoint.pem"
    """The file of the private key that checkpoints are signed with; made if there is none. Never in the database."""
    register_key: str = "microfund-register.key"
    """The file of the key that names, phones and notes are encrypted with; made at first use. Never in the database.
    What was erased is told beside it, under the suffix `.erasures`."""
    checkpoint_name: Annotated[str, Field(pattern=f"^{NAME}$")] = "microfund"
    """Under which name checkpoints are issued: something like `so-quy.example`, the same for all copies, for ever."""
    checks_per_minute: Annotated[int, Field(ge=1)] = 30
    """How often one address may ask `check`, which needs no token."""
    wrong_codes: Annotated[int, Field(ge=1)] = 10
    """How many wrong codes one address, and one code or person, may try in `wrong_codes_minutes`."""
    wrong_codes_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    plans: str | None = None
    """The folder of further plans, a TOML file each; one that bears the code of a plan built in takes its place."""
    readers_months: Annotated[int, Field(ge=1, le=1200)] = 24
    """How long the log of readers keeps who was shown a person."""
    proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """The addresses or networks of proxies before the service, separated by commas: what they say in `Forwarded`, else
    in `X-Forwarded-For`, of where a request comes from is believed."""
    log_requests: Literal["all", "notable", "none"] = "notable"
    """Of which requests a line is logged: `all`, `none`, or those that were refused, failed or took `slow_seconds`."""
    slow_seconds: Annotated[float, Field(gt=0)] = 1.0
    flag: Thresholds = Thresholds()
    """From where on something is a red flag: `MICROFUND_FLAG_LATE_DAYS` and so on, each as `Thresholds` names it."""

    @field_validator("proxies", mode="before")
    @classmethod
    def _listed(cls, proxies: object) -> object:
        if not isinstance(proxies, str):
            return proxies
        return tuple(ip_network(part.strip()) for part in proxies.split(",") if part.strip())

    @field_validator("database")
    @classmethod
    def _known_database(cls, url: str) -> str:
        environment(url)
        return url


class BadSetting(Fault):
    """A setting does not make sense: `name` and what it should be, but never its value."""

    area = "setting"


class BadSettings(ExceptionGroup[BadSetting]):
    """The settings do not make sense."""


_BOUNDS = {"greater_than_equal": ("least", "ge"), "less_than_equal": ("most", "le"), "greater_than": ("above", "gt")}


def load_settings() -> Settings:
    """The settings as the process finds them. Raises `BadSettings`."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings("settings", [_wrong(found) for found in error.errors()]) from None


def _wrong(found: ErrorDetails) -> BadSetting:
    """What is wrong with one setting, as Pydantic found it."""
    name = f"MICROFUND_{'_'.join(map(str, found['loc'])).upper()}"
    match found["type"]:
        case "value_error" if found["loc"] == ("database",):
            return BadSetting("database-url", name=name)
        case "value_error" if found["loc"] == ("proxies",):
            return BadSetting("networks", name=name)
        case "int_parsing" | "float_parsing":
            return BadSetting("number", name=name)
        case kind if kind in _BOUNDS:
            code, bound = _BOUNDS[kind]
            return BadSetting(code, name=name, bound=f"{found['ctx'][bound]:g}")
        case "string_pattern_mismatch":
            return BadSetting("characters", name=name)
        case "value_error" if found["loc"] == ("flag",):
            threshold = str(found["ctx"]["error"]).partition(" ")[0]
            return BadSetting("least", name=f"{name}_{threshold.upper()}", bound="0")
    return BadSetting("wrong", name=name)
