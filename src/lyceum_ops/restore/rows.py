"""The rows of one course: found in a copy, carried over as text, put into the live database in one transaction.

Nothing live is overwritten: a row whose key is there already stays as it is. A row of somebody whose account is gone is
left out, and a name that may be missing (who shared a file) is taken off, as the platform does when an account goes.
Before the commit every row is compared with what was carried over, as text, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, sql

from lyceum_ops.drill import postgres as comparing
from lyceum_ops.errors import CommandFailed, Refused
from lyceum_ops.restore import catalogue
from lyceum_ops.restore.catalogue import ROOT, Catalogue, Edge, Table

# Where rows name objects of the content store, as SQL over a table that holds those rows.
CONTENT: dict[str, tuple[LiteralString, ...]] = {
    ROOT: ("SELECT cover_key FROM {}",),
    "courses_lesson": (
        "SELECT media_key FROM {}",
        "SELECT poster_key FROM {}",
        "SELECT caption->>'key' FROM {} CROSS JOIN LATERAL jsonb_array_elements(captions) caption",
    ),
}
SHUTDOWN = "57P"  # how PostgreSQL's codes begin when it ends connections
LEARNERS, FILES = "courses_enrolment", "shared_sharedfile"


@dataclass
class Moved:
    """How many rows of which table: put in; there already; left out, by the table whose row is gone; unnamed, too."""

    put: dict[str, int] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)
    unnamed: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.put.values())


@dataclass
class Course:
    """One course in a copy, whose connection stays open. `picked` maps a table to the list of its rows' keys there."""

    copy: Connection[Any]
    known: Catalogue
    slug: str
    number: int
    title: str
    picked: dict[str, sql.Identifier]

    def rows(self, table: str) -> sql.Composed:
        """The rows of a table, whole, as a query in the copy."""
        of = self.known.tables[table]
        return sql.SQL("SELECT {} FROM {} t WHERE EXISTS (SELECT FROM {} k WHERE {})").format(
            _columns(of.columns), of.sql, self.picked[table], _equal("k", of.key, "t", of.key)
        )

    def keys(self) -> list[str]:
        """What the rows name in the content store."""
        found: set[str] = set()
        for table, queries in CONTENT.items():
            for query in queries if table in self.picked else ():
                rows = sql.SQL("({}) rows").format(self.rows(table))
                found |= {row[0] for row in self.copy.execute(sql.SQL(query).format(rows)).fetchall()}
        return sorted(found - {"", None})

    def learners(self) -> list[int]:
        """The numbers of those who are enrolled."""
        if LEARNERS not in self.picked:
            return []
        query = sql.SQL("SELECT user_id FROM ({}) rows ORDER BY 1").format(self.rows(LEARNERS))
        return [int(row[0]) for row in self.copy.execute(query).fetchall()]


def find(copy: Connection[Any], slug: str) -> Course:
    """The course with all of its rows. Raises Refused for a copy that is damaged, or has no such course."""
    with told("The copy of the database cannot be read"):
        if wrong := comparing.faults(copy):
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise Refused(f"The copy of the database is damaged: {wrong[0]}{more}.", "Try another time with --at.")
        comparing.as_text(copy)
        known = catalogue.read(copy)
        if ROOT not in known.tables:
            raise Refused("The copy of the database holds no courses at all.", "Nothing was changed.")
        found = copy.execute("SELECT id, title FROM public.courses_course WHERE slug = %s", [slug]).fetchone()
        if found is None:
            raise Refused(f"There was no course {slug} then.", "Name the time before it was deleted with --at.")
        course = Course(copy, known, slug, int(found[0]), str(found[1]), {})
        _pick(course)
        return course


def _pick(course: Course) -> None:
    """Everything that points to the course, or to what is picked already, until nothing new is found."""
    copy, known = course.copy, course.known
    copy.execute(
        sql.SQL("INSERT INTO {} SELECT id FROM public.courses_course WHERE id = %s").format(_list(course, ROOT)),
        [course.number],
    )
    grows = True
    while grows:
        grows = False
        for edge in known.edges:
            if edge.parent not in course.picked:
                continue
            child, parent = known.tables[edge.child], known.tables[edge.parent]
            done = copy.execute(
                sql.SQL(
                    "INSERT INTO {into} SELECT DISTINCT {key} FROM {child} t JOIN {parent} p ON {on}"
                    " JOIN {picked} k ON {of} ON CONFLICT DO NOTHING"
                ).format(
                    into=_list(course, edge.child), key=_columns(child.key, "t"), child=child.sql, parent=parent.sql,
                    on=_equal("t", edge.columns, "p", edge.keys), picked=course.picked[edge.parent],
                    of=_equal("k", parent.key, "p", parent.key),
                )
            )  # fmt: skip
            grows = grows or done.rowcount > 0


def _list(course: Course, table: str) -> sql.Identifier:
    """The list of a table's picked rows, made when it is first asked for."""
    if table not in course.picked:
        of = course.known.tables[table]
        if not of.key:
            raise Refused(f"{table} has no primary key: which of its rows are the course's cannot be told.")
        made = sql.Identifier("pg_temp", f"picked_{len(course.picked)}")
        course.copy.execute(
            sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM {} WHERE false").format(
                sql.Identifier(f"picked_{len(course.picked)}"), _columns(of.key), of.sql
            )
        )
        course.copy.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(made, _columns(of.key)))
        course.picked[table] = made
    return course.picked[table]


def require_absent(live: Connection[Any], slug: str, number: int | None = None) -> None:
    """Raise Refused when a course of this slug, or of this number, is live."""
    with told("The live database cannot be read"):
        row = live.execute(
            "SELECT slug, id, title FROM public.courses_course WHERE slug = %s OR id = %s", [slug, number]
        ).fetchone()
    if row is not None:
        raise Refused(
            f"The course {row[0]} (number {row[1]}, “{row[2]}”) is live: nothing is written over it.",
            "Was another one meant? One that is wrong and not gone: docs/runbook/lose-the-database.md.",
        )


def move(course: Course, live: Connection[Any], *, keep: bool) -> Moved:
    """Put the rows into the live database and compare them there; without `keep` all of it is taken back at the end.

    Raises Refused for what would not fit, CommandFailed when a database fails. Nothing has changed after either.
    """
    with told("The rows were not put in, and nothing was changed"), live.transaction() as all_or_nothing:
        # Somebody else's open transaction must not hold this one, and with it everybody else.
        live.execute("SET LOCAL lock_timeout = '15s'")
        require_absent(live, course.slug, course.number)
        comparing.as_text(live)
        tables = _tables(course, live)
        staged = {table.name: _carry(course, table, live, n) for n, table in enumerate(tables)}
        edges = [one for one in course.known.edges if one.child in staged]
        moved = Moved()
        _drop_live(tables, staged, live, moved)
        _drop_orphans(edges, course.known, staged, live, moved)
        for table in tables:
            moved.put[table.name] = _put(table, staged[table.name], live)
        live.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if not moved.put.get(ROOT):
            raise Refused(f"The course {course.slug} itself could not be put in.", "Nothing was changed.")
        names = {table.name for table in tables}
        if behind := [text for text in comparing.behind(live) if text.partition(":")[0] in names]:
            raise Refused(f"The live database would not take the next row: {behind[0]}", "Nothing was changed.")
        if not keep:
            raise psycopg.Rollback(all_or_nothing)
    return moved


def _tables(course: Course, live: Connection[Any]) -> list[Table]:
    """Parents first. Raises Refused where the live database has other columns or constraints by now."""
    now = catalogue.read(live)
    for name in course.picked:
        was, there = course.known.tables[name], now.tables.get(name)
        if there is None or there.shape != was.shape:
            raise Refused(
                f"{name} is {'other' if there else 'not there'} in the live database: nothing was changed.",
                "Run it from the checkout of the release that is live: ./lyceum releases ENV.",
            )
    return [course.known.tables[name] for name in course.known.parents_first(list(course.picked))]


def _carry(course: Course, table: Table, live: Connection[Any], number: int) -> sql.Identifier:
    """The rows, in a table of this session alone. Raises CommandFailed when not all of them arrive as they were."""
    name = f"restored_{number}"
    columns = _columns(table.columns)
    live.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
            sql.Identifier(name), columns, table.sql
        )
    )
    staged = sql.Identifier("pg_temp", name)
    rows = course.rows(table.name)
    with (
        course.copy.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(rows)) as out,
        live.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(staged, columns)) as into,
    ):
        for block in out:
            into.write(block)
    was = comparing.checksum(course.copy, sql.SQL("({}) r").format(rows), table.columns)
    now = comparing.checksum(live, staged, table.columns)
    if was != now:
        raise CommandFailed(f"The rows of {table.name} did not arrive as they were: {was[0]} rows and {now[0]}.")
    return staged


def _drop_live(tables: list[Table], staged: dict[str, sql.Identifier], live: Connection[Any], moved: Moved) -> None:
    for table in tables:
        gone = live.execute(
            sql.SQL("DELETE FROM {} s USING {} l WHERE {}").format(
                staged[table.name], table.sql, _equal("s", table.key, "l", table.key)
            )
        ).rowcount
        if gone:
            moved.there[table.name] = gone


def _drop_orphans(
    edges: list[Edge], known: Catalogue, staged: dict[str, sql.Identifier], live: Connection[Any], moved: Moved
) -> None:
    """What points to a row that is gone: first those themselves, then what points to them."""
    changed = True
    while changed:
        changed = False
        for edge in edges:
            places = [known.tables[edge.parent].sql, *([staged[edge.parent]] if edge.parent in staged else [])]
            orphan = sql.SQL(" AND ").join(
                [
                    *(sql.SQL("s.{} IS NOT NULL").format(sql.Identifier(column)) for column in edge.columns),
                    *(
                        sql.SQL("NOT EXISTS (SELECT FROM {} p WHERE {})").format(
                            place, _equal("s", edge.columns, "p", edge.keys)
                        )
                        for place in places
                    ),
                ]
            )
            loose = [column for column in edge.columns if column not in known.tables[edge.child].required]
            if loose:
                emptied = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(one)) for one in loose)
                asked = sql.SQL("UPDATE {} s SET {} WHERE {}").format(staged[edge.child], emptied, orphan)
            else:
                asked = sql.SQL("DELETE FROM {} s WHERE {}").format(staged[edge.child], orphan)
            if count := live.execute(asked).rowcount:
                told_of = moved.unnamed if loose else moved.left_out
                told_of[edge.child, edge.parent] = told_of.get((edge.child, edge.parent), 0) + count
                changed = True


def _put(table: Table, staged: sql.Identifier, live: Connection[Any]) -> int:
    """Insert, and compare what is there then. Returns how many rows."""
    columns = _columns(table.columns)
    count = live.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
            table.sql, columns, columns, staged
        )
    ).rowcount
    found = live.execute(
        sql.SQL(
            "SELECT count(*) FROM {} s LEFT JOIN {} l ON {} WHERE ROW({})::text IS DISTINCT FROM ROW({})::text"
        ).format(
            staged, table.sql, _equal("s", table.key, "l", table.key), _columns(table.columns, "s"),
            _columns(table.columns, "l"),
        )
    ).fetchone()  # fmt: skip
    if found is None or found[0]:
        raise CommandFailed(f"Rows of {table.name} are not as they were once they are put in: {found and found[0]}.")
    return count


@contextmanager
def told(what: str) -> Iterator[None]:
    """A database's own error as one line."""
    try:
        yield
    except psycopg.Error as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        # Without a word of the server's, or with its last one: it may have been the answer to the commit.
        if isinstance(error, psycopg.OperationalError) and (error.sqlstate or SHUTDOWN).startswith(SHUTDOWN):
            raise CommandFailed(
                f"There is no connection to the database, or it ended: {said}", "Run it again; it never writes twice."
            ) from error
        if isinstance(error, psycopg.errors.UniqueViolation):
            raise Refused(f"{what}: something live stands in its place: {said}") from error
        raise CommandFailed(f"{what}: {said}", "See docs/runbook/restore-one-course.md.") from error


def _columns(names: tuple[str, ...], of: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, name) if of else sql.Identifier(name) for name in names)


def _equal(left: str, lefts: tuple[str, ...], right: str, rights: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, one), sql.Identifier(right, other))
        for one, other in zip(lefts, rights, strict=True)
    )
