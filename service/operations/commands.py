"""What operators type: the read model made anew."""

from service.terminal import Language, errors, ledger_of, load_settings, progress, read_model_of


def rebuild(language: Language = "vi") -> None:
    """Make the read model anew from the log."""
    from service.words.catalogue import phrase

    with ledger_of(load_settings(), "write") as ledger:
        last = ledger.recorder.max_notification_id() or 0
        with progress("events") as show:
            done = 0

            def applied(events: int) -> None:
                nonlocal done
                done += events
                show(done, last)

            events = read_model_of(ledger).rebuild(applied)
    errors.print(phrase("rebuilt.done", language, events=events))
