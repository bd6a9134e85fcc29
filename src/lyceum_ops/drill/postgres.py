"""The manifest of a database, taken in one snapshot, and what has to hold in a restored one whatever its rows are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, sql

from lyceum_ops.drill.manifest import BUCKETS, MODULUS, Bucket, Manifest, Part

# Text of a row is compared: these decide how values become text.
AS_TEXT = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601", "bytea_output": "hex",
    "extra_float_digits": "1",
}  # fmt: skip
# Of a check, only that it is there: what it says is written otherwise after a dump, and means the same.
TABLES = """
SELECT c.relname,
       (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
                          CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY a.attname)
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM pg_index i
          CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(num, ord)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
         WHERE i.indrelid = c.oid AND i.indisprimary),
       (SELECT string_agg(conname || ' ' || CASE contype WHEN 'c' THEN 'CHECK' ELSE pg_get_constraintdef(oid) END,
                          '; ' ORDER BY conname)
          FROM pg_constraint WHERE conrelid = c.oid AND contype <> 'n')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
# Of every column that a sequence fills: where the sequence stands below the largest value, the next insert fails.
SEQUENCES = """
SELECT t.relname, a.attname, s.oid::regclass::text
  FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
  JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE s.relkind = 'S' AND n.nspname = 'public' ORDER BY 1, 2
"""
FOREIGN = """
SELECT c.conname, t.relname, f.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(c.conkey) WITH ORDINALITY k(num, ord)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
       (SELECT array_agg(a.attname::text ORDER BY k.ord) FROM unnest(c.confkey) WITH ORDINALITY k(num, ord)
          JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace WHERE c.contype = 'f' AND n.nspname = 'public' ORDER BY 1
"""


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[str]:
    """One moment of the database, while the block lasts. Yields its name, under which pg_dump sees it too."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        found = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield str(found[0] if found else "")
    finally:
        connection.execute("ROLLBACK")


def manifest(connection: Connection[Any], *, ignore: frozenset[str] = frozenset()) -> Manifest:
    """Every table of the platform. Whoever wants one moment of all of them calls it within `snapshot`."""
    as_text(connection)
    found = {}
    for table, columns, names, key, constraints in connection.execute(TABLES).fetchall():
        if table not in ignore:
            facts = {"columns": columns or "", "constraints": constraints or ""}
            found[table] = Part(_buckets(connection, table, names or [], key), facts)
    return found


def as_text(connection: Connection[Any]) -> None:
    """From now on values of this session become text in the one way that is compared."""
    for name, value in AS_TEXT.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])


def _buckets(connection: Connection[Any], table: str, names: list[str], key: list[str] | None) -> dict[int, Bucket]:
    """By the primary key; a table without one is one bucket. Columns by name, in whatever order they were added."""
    of = _text(key) if key else sql.SQL("''")
    asked = sql.SQL(
        "SELECT bucket, count(*), sum(h) FROM (SELECT mod({} & 9223372036854775807, {}) AS bucket, {}::numeric AS h"
        " FROM {}) r GROUP BY bucket"
    ).format(_hash(of), sql.Literal(BUCKETS), _hash(_text(names)), sql.Identifier(table))
    return {
        int(number): Bucket(int(count), int(total) % MODULUS)
        for number, count, total in connection.execute(asked).fetchall()
    }


def _text(names: Iterable[str]) -> sql.Composed:
    return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(map(sql.Identifier, names)))


def _hash(text: sql.Composed | sql.SQL) -> sql.Composed:
    return sql.SQL("('x' || substr(md5({}), 1, 16))::bit(64)::bigint").format(text)


def faults(connection: Connection[Any]) -> list[str]:
    """What is broken in itself: rows without their parent, sequences that are behind, indexes that are not valid."""
    return [*_orphans(connection), *behind(connection), *_invalid(connection)]


def checksum(connection: Connection[Any], place: sql.Composable, names: Iterable[str]) -> tuple[int, int]:
    """How many rows a table or a query has, and one number over all of them, in whatever order."""
    asked = sql.SQL("SELECT count(*), coalesce(sum({}::numeric), 0) FROM {}").format(_hash(_text(names)), place)
    found = connection.execute(asked).fetchone()
    return (int(found[0]), int(found[1]) % MODULUS) if found else (0, 0)


def _orphans(connection: Connection[Any]) -> Iterator[str]:
    # A dump restores a key as it was declared, and never looks: so it is looked at here.
    for name, child, parent, columns, keys in connection.execute(FOREIGN).fetchall():
        asked = sql.SQL("SELECT count(*) FROM {child} c LEFT JOIN {parent} p ON {on} WHERE p.{key} IS NULL AND {set}")
        found = connection.execute(
            asked.format(
                child=sql.Identifier(child), parent=sql.Identifier(parent), key=sql.Identifier(keys[0]),
                on=sql.SQL(" AND ").join(
                    sql.SQL("c.{} = p.{}").format(sql.Identifier(c), sql.Identifier(k))
                    for c, k in zip(columns, keys, strict=True)
                ),
                set=sql.SQL(" AND ").join(sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(c)) for c in columns),
            )
        ).fetchone()  # fmt: skip
        if found and found[0]:
            yield f"{child}: {found[0]} rows point to no row of {parent} ({name})"


def behind(connection: Connection[Any]) -> Iterator[str]:
    """Where a sequence stands below its column: the next row of that table fails."""
    for table, column, sequence in connection.execute(SEQUENCES).fetchall():
        asked = sql.SQL("SELECT (SELECT coalesce(max({}), 0) FROM {}), last_value, is_called FROM {}").format(
            sql.Identifier(column), sql.Identifier(table), sql.SQL(sequence)
        )
        found = connection.execute(asked).fetchone()
        if found and found[0] and (found[1] < found[0] or (found[1] == found[0] and not found[2])):
            yield f"{table}: its sequence stands at {found[1]} and {column} goes to {found[0]}: the next row fails"


def _invalid(connection: Connection[Any]) -> Iterator[str]:
    asked = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready ORDER BY 1"
    for (index,) in connection.execute(asked).fetchall():
        yield f"the index {index} is not valid"
    # A key that was declared and not held against the rows.
    asked = "SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY 1"
    for (constraint,) in connection.execute(asked).fetchall():
        yield f"the constraint {constraint} was never held against the rows"
