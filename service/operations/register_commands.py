"""`microfund register`: the key that names, phones and notes are encrypted with, changed."""

from typing import Annotated

import typer

from service.terminal import Language, Mistake, ledger_of, load_settings, of_file, progress, tell

register = typer.Typer(help="The register of names, phones and notes.", no_args_is_help=True)


@register.callback()
def _about() -> None:
    """The register of names, phones and notes."""


@register.command("rotate-key")
def rotate_key(
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Take the keys before out of the file: older backups show no name then.")
    ] = False,
    is_lost: Annotated[
        bool, typer.Option("--key-is-lost", help="Begin a new key without the one before; its names stay shut.")
    ] = False,
    language: Language = "vi",
) -> None:
    """Encrypt the register with a new key, while the service runs; cut off, it is gone on with when typed again.

    The key before stays in the file, for backups and for copies of the service, until --drop-old.
    """
    if drop_old and is_lost:
        raise Mistake("drop-or-lost")
    settings = load_settings()
    with ledger_of(settings, "write") as ledger, progress("texts") as show:
        total = ledger.database.query("SELECT COUNT(*) AS texts FROM register")[0]["texts"]

        def done(texts: int) -> None:
            show(texts, total)

        try:
            if drop_old:
                texts = ledger.register.drop_old_keys(done)
            else:
                texts = ledger.register.rotate(is_lost=is_lost, on_done=done)
        except OSError as error:
            raise of_file(settings.register_key, error, language) from None
    tell("register.dropped" if drop_old else "register.rotated", language, texts=texts)
