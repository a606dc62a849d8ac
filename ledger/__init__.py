"""microfund's ledger: the rules of a club's revolving fund, its log and its read models.

Nothing in here knows HTTP, reads the environment or looks at a clock: instants and days come in from the edge.
"""
