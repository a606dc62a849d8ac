"""Claims about the fund and its books: what is decided, what it does, and what is found in it."""
