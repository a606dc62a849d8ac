"""Reading the books: any figure of one fund at a point in both times, or of all funds in scope."""
