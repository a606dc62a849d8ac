"""The statements of the log on PostgreSQL, with `{schema}` and `{table}` still to be named."""

from typing import Final, LiteralString

INSERT_LINES: Final[LiteralString] = (
    # Writers take turns, so that positions are handed out in commit order and a follower misses nothing: they have the
    # lock before the first row is made, and keep it until the statement is committed. The library locks the whole
    # table, and then waits for every ANALYZE and VACUUM that reads it.
    "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('microfund log'))), "
    # Unless the log holds every line that the batch is built on, nothing of it is stored, and no position comes back.
    # Texts taken apart by a function, and not arrays: how many values those hold is looked at before each execution,
    # and a batch of one always seems worth a plan of its own, which takes longer than the batch.
    "missing AS MATERIALIZED (SELECT FROM ROWS FROM ("
    "string_to_table(%s, ' '), string_to_table(%s, ' '), string_to_table(%s, ' ')) AS built_on (fund, version, head) "
    "WHERE decode(head, 'hex') IS DISTINCT FROM (SELECT sha256(state) FROM {schema}.{table} "
    "WHERE originator_id = fund AND originator_version = version::bigint)), "
    "told AS (INSERT INTO register SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) "
    "WHERE NOT EXISTS (SELECT FROM missing) ON CONFLICT DO NOTHING) "
    "INSERT INTO {schema}.{table} (originator_id, originator_version, topic, state) "
    "SELECT fund, version::bigint, type, decode(line, 'hex') FROM turn CROSS JOIN ROWS FROM ("
    "string_to_table(%s, ' '), string_to_table(%s, ' '), string_to_table(%s, ' '), string_to_table(%s, ' ')) "
    "AS stored (fund, version, type, line) WHERE NOT EXISTS (SELECT FROM missing) RETURNING notification_id"
)

CONFIRM_LINE: Final[LiteralString] = (
    # What is seen in the log lasts only once a later commit is on the standby, too: a commit that was cancelled while
    # it waited for that is seen like any other, and gone with the server.
    "WITH waited AS MATERIALIZED (SELECT CASE WHEN current_setting('transaction_read_only') = 'off' "
    "AND current_setting('synchronous_standby_names') <> '' THEN pg_logical_emit_message(true, 'microfund', '') END) "
    "SELECT notification_id, current_setting('transaction_read_only') = 'on' AS is_read_only, waited.* "
    "FROM waited CROSS JOIN {schema}.{table} "
    "WHERE originator_id = %s AND originator_version = %s AND sha256(state) = decode(%s, 'hex')"
)

SELECT_LINES: Final[LiteralString] = (
    "SELECT state FROM {schema}.{table} WHERE originator_id = %s "
    "AND originator_version > %s AND originator_version <= %s ORDER BY originator_version"
)

SELECT_LINES_SINCE: Final[LiteralString] = (
    # LATERAL and sorted: each log is looked up by its key, however large the planner thinks that the list is.
    "SELECT log, state FROM ROWS FROM (string_to_table(%s, ' '), string_to_table(%s, ' ')) AS asked (log, version) "
    "CROSS JOIN LATERAL (SELECT state, originator_version FROM {schema}.{table} WHERE originator_id = log "
    "AND originator_version > version::bigint ORDER BY originator_version) AS since ORDER BY log, originator_version"
)

SELECT_POSITION: Final[LiteralString] = (
    "SELECT notification_id FROM {schema}.{table} WHERE originator_id = %s AND originator_version = %s"
)
