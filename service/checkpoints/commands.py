"""`microfund checkpoint …`: make, list, show and verify checkpoints, and show the public key."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.events import check_code
from ledger.refusals import CheckpointNotFound, FundsChanged, Refusal
from service.terminal import BROKEN, Language, Mistake, errors, ledger_of, load_settings, of_file, progress, say, tell

if TYPE_CHECKING:
    from ledger.checkpoints.notes import Checkpoint

app = typer.Typer(help="Checkpoints: one signature over the heads of all funds.", no_args_is_help=True)


@app.command()
def make(
    new_key: Annotated[
        bool, typer.Option("--new-key", help="The last checkpoint was signed by another key, on purpose.")
    ] = False,
    language: Language = "vi",
) -> None:
    """Sign the heads of all funds now and print the note; the latest one again if nothing is new."""
    from ledger.checkpoints import Checkpoints, Overtaken
    from service.checkpoints.signing import signer_of

    settings = load_settings()
    with ledger_of(settings, "write") as ledger:
        checkpoints = Checkpoints(ledger.database, ledger.recorder)
        signer = signer_of(settings, checkpoints, may_be_new=new_key)
        while True:
            try:
                made = checkpoints.make(signer, datetime.now(UTC), after_another_key=new_key)
            except Overtaken:
                continue
            except Refusal as refusal:
                _refused(refusal, language)
            break
    say(made.note.removesuffix("\n"))


def _refused(refusal: Refusal, language: str) -> None:
    from service.words import catalogue

    errors.print(catalogue.render(f"refusal.{refusal.code}.detail", language, **refusal.facts), markup=False)
    if isinstance(refusal, FundsChanged):
        changed = refusal.facts["funds"]
        assert isinstance(changed, tuple)
        for fund in changed:
            say(fund)
    raise typer.Exit(BROKEN)


@app.command("list")
def list_all(language: Language = "vi") -> None:
    """Print a line for each checkpoint, newest first: number, instant, funds, entries."""
    from ledger.checkpoints import NO_END, Checkpoints

    with ledger_of(load_settings(), "read") as ledger:
        for made in Checkpoints(ledger.database, ledger.recorder).listed(most=NO_END):
            tell("checkpoint.listed", language, **_facts(made.checkpoint))


@app.command()
def show(
    number: Annotated[int, typer.Argument(min=1)],
    with_heads: Annotated[
        bool, typer.Option("--with-heads", help="Then, after an empty line, each fund's version, head and check code.")
    ] = False,
    language: Language = "vi",
) -> None:
    """Print a checkpoint's note, to mail or to print."""
    from ledger.checkpoints import Checkpoints

    with ledger_of(load_settings(), "read") as ledger:
        checkpoints = Checkpoints(ledger.database, ledger.recorder)
        try:
            made = checkpoints.one(number)
        except CheckpointNotFound:
            raise Mistake("no-checkpoint", number=number) from None
        say(made.note.removesuffix("\n"))
        if with_heads:
            say("")
            for leaf in checkpoints.heads(number):
                say(f"{leaf.text()} {check_code(leaf.head)}")


@app.command()
def key(language: Language = "vi") -> None:
    """Print the public key that checkpoints are verified with; keep a copy away from the server."""
    from ledger.checkpoints import Checkpoints
    from service.checkpoints.signing import kept_signer, signer_of

    settings = load_settings()
    if Path(settings.checkpoint_key).exists():
        say(str(kept_signer(settings).key))
        return
    with ledger_of(settings, "read") as ledger:
        say(str(signer_of(settings, Checkpoints(ledger.database, ledger.recorder)).key))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint's note, as it was mailed or exported.")],
    trusted: Annotated[str | None, typer.Option("--key", help="The public key; that of the settings if none.")] = None,
    language: Language = "vi",
) -> None:
    """Compare a checkpoint with the database: exit code 0 if every fund still has the head that was signed, 1 if not,
    naming each fund that was rewritten, cut short or is gone."""
    from ledger.checkpoints import Checkpoints
    from ledger.checkpoints.notes import Key, NotACheckpoint, as_written, read
    from ledger.checkpoints.vouching import mismatches
    from service.checkpoints.signing import kept_signer

    settings = load_settings()
    if trusted is None and not Path(settings.checkpoint_key).exists():
        raise Mistake("key-elsewhere")
    try:
        note = _without_heads(as_written(file.read_bytes().decode()))
        checkpoint = read(note)
        known = Key.read(trusted) if trusted else kept_signer(settings).key
    except (NotACheckpoint, UnicodeDecodeError, OSError) as error:
        raise of_file(file, error, language) from None
    with ledger_of(settings, "read") as ledger, progress("funds") as done:
        found = list(mismatches(Checkpoints(ledger.database, ledger.recorder), note, known, done))
    for mismatch in found:
        tell(f"checkpoint.{mismatch.kind}", language, **mismatch._asdict())
    if found:
        raise typer.Exit(BROKEN)
    tell("checkpoint.holds", language, **_facts(checkpoint))


def _without_heads(text: str) -> str:
    """The note alone: what `show --with-heads` prints after it is not signed, and is for people."""
    parts = text.split("\n\n", 2)
    return text if len(parts) < 3 else f"{parts[0]}\n\n{parts[1]}\n"


def _facts(checkpoint: "Checkpoint") -> dict[str, object]:
    """What is said of a checkpoint, its instant as it stands in the note."""
    return checkpoint._asdict() | {"made_at": f"{checkpoint.made_at:%Y-%m-%dT%H:%M:%SZ}"}
