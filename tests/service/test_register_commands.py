"""Claims about `microfund register`: the key is changed while the service runs, and what is wrong with it is said."""

from pathlib import Path

from tests.support.commands import command
from tests.support.keys import registered
from tests.support.service import FUND, NAME, House


def test_the_key_is_changed_and_the_old_one_dropped_beneath_a_running_service(village: House) -> None:
    key, url = Path(village.state.settings.register_key), village.state.settings.database
    before = key.read_text()

    changed = command(url, "register", "rotate-key")
    assert (changed.returncode, village.get(f"/funds/{FUND}/members").json()["items"][0]["name"]) == (0, NAME)
    assert "bằng khóa mới" in changed.stdout
    assert key.read_text().endswith(before)

    assert command(url, "register", "rotate-key", "--drop-old").returncode == 0
    assert before not in key.read_text()
    assert village.get(f"/funds/{FUND}/members").json()["items"][0]["name"] == NAME
    member = {"sex": "male", "birth_year": 1960, "poverty": "none", "on": "2024-05-15", "name": "Lý Văn Páo"}
    village.recorded(f"/funds/{FUND}/members", member)
    assert {NAME, "Lý Văn Páo"} <= registered(village.state.ledger)
    assert oct(key.stat().st_mode & 0o777) == "0o600"


def test_a_lost_key_is_said_and_a_new_one_begun_only_if_that_is_meant(village: House) -> None:
    key, url = Path(village.state.settings.register_key), village.state.settings.database
    key.unlink()

    refused = command(url, "register", "rotate-key", MICROFUND_REGISTER_KEY=str(key))
    assert (refused.returncode, "khóa giữ tên" in refused.stderr, key.exists()) == (2, True, False)

    begun = command(url, "register", "rotate-key", "--key-is-lost", MICROFUND_REGISTER_KEY=str(key))
    assert (begun.returncode, key.exists()) == (0, True)
    assert village.state.ledger.register.trouble() is None
    assert command(url, "register", "rotate-key", "--drop-old", "--key-is-lost").returncode == 2
