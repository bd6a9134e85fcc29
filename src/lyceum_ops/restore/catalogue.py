"""Which tables hold rows of a course, and what they point to: read from the database, so that no table is forgotten.

A row belongs to the course when it points to it, or to a row that does. What the platform keeps without a foreign key
(progress as rows, which would as well lie in DynamoDB) is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from psycopg import Connection, sql

from lyceum_ops.drill import postgres as comparing

ROOT = "courses_course"
NOT_NULL = """
SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relname = %s AND a.attnum > 0 AND a.attnotnull
"""


@dataclass(frozen=True)
class Edge:
    """`columns` of `child` hold the `keys` of a row of `parent`."""

    child: str
    columns: tuple[str, ...]
    parent: str
    keys: tuple[str, ...]


LOOSE = (
    Edge("progress_lessonprogress", ("course_id",), ROOT, ("id",)),
    Edge("progress_lessonprogress", ("user_id",), "accounts_user", ("id",)),
)


@dataclass(frozen=True)
class Table:
    """`shape` is what has to be equal on both sides: columns with their types, and constraints."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: frozenset[str]
    shape: str

    @property
    def sql(self) -> sql.Identifier:
        return sql.Identifier("public", self.name)


@dataclass(frozen=True)
class Catalogue:
    tables: Mapping[str, Table]
    edges: tuple[Edge, ...]

    def parents_first(self, names: list[str]) -> list[str]:
        """In which order rows can be put in. Where tables point to each other in a circle, as they are named."""
        graph = {
            name: {one.parent for one in self.edges if one.child == name and one.parent in names} - {name}
            for name in sorted(names)
        }
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError:  # Django's keys are looked at when all rows are there
            return sorted(names)


def read(connection: Connection[Any]) -> Catalogue:
    """The tables of the platform and what points to what."""
    tables = {}
    for name, columns, names, key, constraints in connection.execute(comparing.TABLES).fetchall():
        required = frozenset(row[0] for row in connection.execute(NOT_NULL, [name]).fetchall())
        tables[name] = Table(name, tuple(names or ()), tuple(key or ()), required, f"{columns}; {constraints}")
    edges = [
        Edge(child, tuple(columns), parent, tuple(keys))
        for _, child, parent, columns, keys in connection.execute(comparing.FOREIGN).fetchall()
    ]
    return Catalogue(tables, (*edges, *(one for one in LOOSE if {one.child, one.parent} <= tables.keys())))
