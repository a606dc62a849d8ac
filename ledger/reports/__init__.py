"""The report of a plan: a pure function of the plan, the definitions, the clubs in scope, the period and the position.

Read from the read model's facts and sums by day, never by folding a log: `reading.py` fetches what is needed of many
clubs at once, `club.py` looks at one of them as it was known at a version, `indicators.py` is the dictionary of what is
reported, and `report.py` puts it together.
"""
