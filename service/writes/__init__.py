"""Recording: from a request to a decision of the fund, and what is answered once the log has it."""
