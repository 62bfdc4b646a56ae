"""Keeps the publications from making the source's own statements fail when a key is dropped.

PostgreSQL refuses an UPDATE or DELETE of a table that is published with its updates and has no
usable key. A migration that drops a key would so stop the application. An event trigger
therefore moves such a table to the publication of inserts in the transaction that drops the key,
and back when the key is there again. Real DMS installs an event trigger too (CaptureDdls), in the
schema that DdlArtifactsSchema names; here as there it takes a superuser.

The comment of the publication of all changes holds the numbers of tables that lost their key, so
that their updates and deletes, which the stream then lacks, can be counted.

Without the trigger a running task looks for such tables every few seconds (`sync_publications`).
"""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from local_shim.dms.source.replica_identity import HAS_IDENTITY
from local_shim.dms.source.slot import publications

_BODY = """
DECLARE published record;
BEGIN
  FOR published IN
    SELECT p.pubname, CASE p.pubname WHEN {keyed} THEN {unkeyed} ELSE {keyed} END AS other,
           n.nspname, c.relname, p.oid, c.oid AS table_oid
    FROM pg_catalog.pg_publication p
    JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
    JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pubname IN ({keyed}, {unkeyed}) AND (p.pubname = {keyed}) <> {has_identity}
  LOOP
    EXECUTE pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %I.%I',
      published.pubname, published.nspname, published.relname);
    EXECUTE pg_catalog.format('ALTER PUBLICATION %I ADD TABLE ONLY %I.%I',
      published.other, published.nspname, published.relname);
    IF published.pubname = {keyed} THEN
      EXECUTE pg_catalog.format('COMMENT ON PUBLICATION %I IS %L', {keyed},
        pg_catalog.concat_ws(' ', pg_catalog.obj_description(published.oid, 'pg_publication'),
          published.table_oid));
    END IF;
  END LOOP;
EXCEPTION WHEN OTHERS THEN  -- whatever happens here, the statement of the source goes on
  RAISE WARNING 'dlt-local dms: %', SQLERRM;
END
"""


def install_key_guard(connection: Connection, publication: str, schema: str) -> bool:
    """Make the event trigger; False if the server does not let us."""
    keyed, unkeyed = map(sql.Literal, publications(publication))
    body = sql.SQL(_BODY).format(keyed=keyed, unkeyed=unkeyed, has_identity=sql.SQL(HAS_IDENTITY))
    name, function = sql.Identifier(publication), sql.Identifier(schema, publication)
    statement = sql.SQL(
        "DROP EVENT TRIGGER IF EXISTS {name};"
        "CREATE OR REPLACE FUNCTION {function}() RETURNS event_trigger LANGUAGE plpgsql"
        " SECURITY DEFINER SET search_path = pg_catalog AS {body};"
        "CREATE EVENT TRIGGER {name} ON ddl_command_end"
        " WHEN TAG IN ('ALTER TABLE', 'DROP INDEX') EXECUTE FUNCTION {function}()"
    ).format(name=name, function=function, body=sql.Literal(body.as_string(connection)))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.InvalidSchemaName):
        return False
    return True


def tables_that_lost_keys(connection: Connection, publication: str) -> set[int]:
    """The numbers of the tables, whether or not they have a key again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(oid, 'pg_publication') FROM pg_publication WHERE pubname = %s",
            [publication],
        )
        row = cursor.fetchone()
    return {int(number) for number in ((row and row[0]) or "").split()}


def forget_lost_keys(connection: Connection, publication: str) -> None:
    """Forget them once they are counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("COMMENT ON PUBLICATION {} IS NULL").format(sql.Identifier(publication))
        )


def remove_key_guard(connection: Connection, publication: str) -> None:
    """Drop the event trigger and its function, in whichever schema it lies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_event_trigger WHERE evtname = %s", [publication])
        if cursor.fetchone() is None:
            return
        cursor.execute(
            "SELECT n.nspname FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid"
            " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE evtname = %s",
            [publication],
        )
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(
            sql.SQL("DROP EVENT TRIGGER {}; DROP FUNCTION {}()").format(
                sql.Identifier(publication), sql.Identifier(row[0], publication)
            )
        )
