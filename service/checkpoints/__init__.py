"""Checkpoints: made each day and on demand, signed with a key outside the database, shown to whoever checks."""
