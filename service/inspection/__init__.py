"""What an inspector asks: the log itself, why figures differ, red flags, and samples drawn by lot."""
