"""`microfund register`: the key that names, phones and notes are encrypted with, changed."""

from typing import Annotated

import typer

from service.terminal import Mistake, errors, ledger_of, load_settings, progress

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
) -> None:
    """Encrypt the register with a new key, while the service runs; cut off, it is gone on with when typed again.

    The key before stays in the file, for backups and for copies of the service, until --drop-old.
    """
    from ledger.refusals import RegisterKeyUnusable

    if drop_old and is_lost:
        raise Mistake("say --drop-old or --key-is-lost, not both")
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
        except RegisterKeyUnusable:
            raise Mistake(f"MICROFUND_REGISTER_KEY: {settings.register_key} {ledger.register.trouble()}") from None
        except OSError as error:
            raise Mistake(f"{settings.register_key}: {error.strerror}") from None
    errors.print(f"encrypted {texts} texts anew{'; the old keys are gone' if drop_old else ''}")
