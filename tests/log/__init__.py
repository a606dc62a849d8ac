"""Claims about the log: what is stored, what is promised to whoever records, and what vouches for it."""
