"""The directory of who may log in: people let in, changed and ended, their phones, and the log of all that."""
