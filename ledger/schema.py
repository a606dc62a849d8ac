"""The tables beside the log that no replay could make anew."""

from __future__ import annotations

from ledger.losses import CREATE_LOSSES

CREATE_CHECKPOINTS = "CREATE TABLE IF NOT EXISTS checkpoints (number BIGINT PRIMARY KEY, note TEXT NOT NULL)"
CREATE_LEAVES = (
    "CREATE TABLE IF NOT EXISTS checkpoint_leaves (number BIGINT PRIMARY KEY, fund TEXT NOT NULL, "
    "version BIGINT NOT NULL, head TEXT NOT NULL)"
)

CREATE_TEXTS = (
    "CREATE TABLE IF NOT EXISTS texts (fund TEXT NOT NULL, digest TEXT NOT NULL, salt TEXT NOT NULL, "
    "text TEXT NOT NULL, folded TEXT NOT NULL, PRIMARY KEY (fund, digest))"
)

CREATE_SETTINGS = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
CREATE_TABLES = (CREATE_TEXTS, CREATE_SETTINGS, CREATE_CHECKPOINTS, CREATE_LEAVES, CREATE_LOSSES)
"""The tables beside the log that no replay could make anew."""
