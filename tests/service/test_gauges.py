"""Claims about what Prometheus is told beside the requests: how the log, the figures and the care for them stand."""

import re
from datetime import UTC, datetime
from pathlib import Path

from service.operations import notes
from tests.support.service import FUND, House, house, settle_in


def figures(running: House) -> dict[str, float]:
    """Every figure by its name and labels."""
    text = running.client.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(microfund_[^ ]+) (\S+)$", text, re.MULTILINE)}


def test_figures_say_how_log_and_read_model_stand(database_url: str) -> None:
    with house(database_url) as running:
        settle_in(running)
        running.get(f"/funds/{FUND}/balances?min_position={running.entries()}")
        found = figures(running)
    assert found["microfund_log_position"] == found["microfund_read_model_position"] > 5
    assert found["microfund_last_entry_timestamp_seconds"] == running.clock().timestamp()
    assert (found["microfund_read_model_lag"], found["microfund_parked_funds"], found["microfund_losses"]) == (0, 0, 0)
    assert found["microfund_commit_seconds_count"] > 5
    assert (found["microfund_tokens"], found["microfund_sessions"]) == (1, 0)
    assert {value for name, value in found.items() if name.startswith("microfund_trouble{")} == {0}
    assert ("microfund_disk_free_bytes" in found) == database_url.startswith("sqlite")


def test_what_was_never_done_is_as_old_as_can_be(village: House, tmp_path: Path) -> None:
    made = datetime(2024, 6, 15, 1, 30, tzinfo=UTC)
    before = figures(village)
    village.anchoring.look()
    notes.leave(village.state.settings.database, notes.BACKUP, notes.Note(made, 7))
    after = figures(village)
    kinds = [f"microfund_{kind}_timestamp_seconds" for kind in ("backup", "drill", "checkpoint")]
    assert [before[kind] for kind in kinds] == [0, 0, 0]
    assert [after[kind] for kind in kinds] == [made.timestamp(), 0, village.clock().timestamp()]


def test_a_kept_state_that_was_wrong_is_told_until_the_service_is_started_anew(village: House) -> None:
    ledger = village.state.ledger
    wrong = ledger.replayed(FUND)
    wrong.meetings_held += 1
    ledger.kept_states.keep(wrong)
    before = figures(village)["microfund_wrong_states"]
    village.clock.pass_days(1)
    village.anchoring.look()
    told = village.client.get("/readyz").json()["wrong_states"]
    assert (before, figures(village)["microfund_wrong_states"]) == (0, 1)
    assert told == [{"fund": FUND, "version": wrong.version, "parts": ["meetings_held"]}]


def test_refusals_are_counted_by_code_and_what_is_only_tried_is_none(village: House) -> None:
    too_much = {"activity": "culture", "amount": 10**9, "on": "2024-02-01"}
    before = figures(village)
    refused = village.post(f"/funds/{FUND}/expenses", too_much)
    dry = village.post(f"/funds/{FUND}/expenses?dry_run=true", too_much)
    after = figures(village)
    counted = f'microfund_refusals_total{{code="{refused.json()["code"]}"}}'
    assert refused.status_code == 422
    assert after[counted] - before.get(counted, 0) == 1 + (dry.status_code >= 400)
    assert before['microfund_refusals_total{code="internal-error"}'] == 0


def test_figures_are_given_while_the_database_is_away(village: House) -> None:
    file = Path(village.state.settings.database.removeprefix("sqlite:///"))
    away = file.rename(file.with_suffix(".away"))
    found = figures(village)
    away.rename(file)
    healed = figures(village)
    assert found['microfund_trouble{part="storage"}'] == 1
    assert found["microfund_writer_waiting"] == 0
    assert "microfund_log_position" not in found
    assert (healed['microfund_trouble{part="storage"}'], "microfund_log_position" in healed) == (0, True)
