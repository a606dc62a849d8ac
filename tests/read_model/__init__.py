"""Claims about the tables beside the log: how they follow it, and what they answer."""
