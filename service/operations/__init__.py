"""What operators and their programs ask: alive, ready, figures, and the read model made anew."""
