"""Taking over an old club's books: three filled-in sheets become one act, or findings by sheet and cell."""
