"""The private key that checkpoints are signed with: a file of its own, outside the database it vouches for.

Whoever can change the database should not be able to sign for it. The file is made at first use, for its owner only;
copies of the service share one file. Once something was signed with it, none is made in its place.
"""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ledger.checkpoints import Checkpoints
from ledger.checkpoints.notes import Signer
from ledger.faults import Fault
from ledger.private_files import is_private, keep_private, make_private
from ledger.refusals import LeavesChanged
from service.settings import Settings
from service.words import catalogue


class BadKey(Fault):
    """The file of the checkpoint key cannot be used. `why` says so without naming the file."""

    area = "key"

    def __init__(self, code: str, /, file: Path, **facts: object) -> None:
        super().__init__(code, file=str(file), **facts)

    @property
    def why(self) -> str:
        """For whoever watches the service, in English as all that `/readyz` says."""
        said = catalogue.phrase(f"mistake.key.{self.code}", "en", **self.facts)
        return f"the checkpoint key (MICROFUND_CHECKPOINT_KEY) {said}"


def signer_of(settings: Settings, checkpoints: Checkpoints, *, may_be_new: bool = False) -> Signer:
    """The key of the settings. If there is none, it is made now, unless a checkpoint was signed before: then only if
    the new one is meant. Raises `BadKey` and the event store's `PersistenceError`s."""
    file = Path(settings.checkpoint_key)
    if not _is_there(file):
        last = None if may_be_new else checkpoints.latest()
        if last is not None:
            raise BadKey("gone", file, number=last.checkpoint.number)
        try:
            make_private(
                file, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
        except OSError as error:
            raise BadKey("not-made", file, why=error.strerror) from None
    return kept_signer(settings)


def kept_signer(settings: Settings) -> Signer:
    """The key of the settings, which must be there. Raises `BadKey`."""
    file = Path(settings.checkpoint_key)
    keep_private(file)
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise BadKey("unreadable", file, why=error.strerror) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("no-key", file) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey("another-kind", file)
    return Signer(settings.checkpoint_name, key)


def key_trouble(settings: Settings, checkpoints: Checkpoints) -> str | None:
    """Why nothing could be signed now; None if the key serves, or none has been needed yet. Makes none. Raises the
    event store's `PersistenceError`s."""
    try:
        last = checkpoints.latest()
        if last is None and not _is_there(Path(settings.checkpoint_key)):
            return None
        signer = signer_of(settings, checkpoints)
        if last is not None and not signer.key.has_signed(last.note):
            return f"the checkpoint key is another one than that which signed checkpoint {last.checkpoint.number}"
    except BadKey as error:
        return error.why
    except LeavesChanged:
        return None  # Whoever makes a checkpoint finds that by itself.
    return None


def key_findings(settings: Settings) -> list[str]:
    """What an operator should know of the key's file."""
    if is_private(Path(settings.checkpoint_key)):
        return []
    return ["others than its owner may open the file MICROFUND_CHECKPOINT_KEY: chmod 600"]


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError as error:
        raise BadKey("unreadable", file, why=error.strerror) from None
