"""The read models: tables beside the log that answer questions, one file each.

`read_model.py` follows the log and keeps all tables at one position; `follower.py` does so in a thread. A projection
(`funds`, `journal`, `balances`, `members`, `loans`) names its tables, says what an event does to them, and has the
queries; `borrowing.py` only asks. Queries take anything that can `query`: a transaction when several answers must
agree, the database, or one held in memory that `knowledge.py` made of what was known at an earlier version.

`as_of` is a day and means: what had happened by its end. None means: all that is recorded.
"""
