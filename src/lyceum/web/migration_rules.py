"""Which migrations the running code can live with: a release migrates first and replaces servers afterwards.

Between the two, servers of the old release work on the new tables, and a rollback brings them back. So a migration
only expands: it adds tables, and columns that the old code need not know. What contracts (drops, renames, tightens)
comes a release later, when no code that runs uses it any more, and says so in the migration:

    class Migration(migrations.Migration):
        lives_with = "Nothing has read this column since release 2026.11.02."

A lock that is held long is as bad as a change that breaks: an index is built concurrently, or says why it is quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

NOTE = "lives_with"
SHORTEST_NOTE = 20  # characters: "ok" is no reason

RENAMES = (
    "Renames a {what} that the running code uses by its old name. Add the new one, copy, and drop the old one later."
)
DROPS = "Drops a {what} that the running code may use. Remove it from the code first, and drop it a release later."
LOCKS = (
    "Holds a lock on a table in use while it {does}. On PostgreSQL build it concurrently, in a migration of its own."
)
OPAQUE = "Nobody can tell from here what it does to a table that is in use."


@dataclass(frozen=True)
class Finding:
    """What the running code could not live with, and where."""

    migration: str
    operation: str
    why: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.operation}. {self.why}"


def findings(migration: migrations.Migration, before: ProjectState) -> list[Finding]:
    """What of a migration the code of the release before cannot live with; nothing where the migration says why."""
    if len(str(getattr(migration, NOTE, "")).strip()) >= SHORTEST_NOTE:
        return []
    state, new = before.clone(), set[str]()
    found = []
    for operation in migration.operations:
        for one, why in _judge(operation, migration.app_label, state, new):
            found.append(Finding(f"{migration.app_label}.{migration.name}", one.describe(), why))
        operation.state_forwards(migration.app_label, state)
    return found


def of_project(*, only_unapplied: bool = False) -> tuple[int, list[Finding]]:
    """How many migrations of this project's own apps were looked at, and what was found in them."""
    loader = MigrationLoader(connection if only_unapplied else None)
    applied = loader.applied_migrations or {}
    own = {config.label for config in apps.get_app_configs() if config.name.startswith("lyceum.")}
    looked, found = 0, []
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[0] in own and not (only_unapplied and key in applied):
            looked += 1
            found += findings(migration, loader.project_state(key, at_end=False))
    return looked, found


def _judge(operation: Operation, app: str, state: ProjectState, new: set[str]) -> Iterator[tuple[Operation, str]]:
    """What is wrong with one operation; `new` are the tables of this migration, which nobody uses yet."""
    table = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    match operation:
        case migrations.CreateModel():
            new.add(operation.name_lower)
        case migrations.SeparateDatabaseAndState():
            for inner in operation.database_operations:
                yield from _judge(inner, app, state, new)
        case _ if table in new and not isinstance(operation, migrations.RunPython | migrations.RunSQL):
            return
        case migrations.RenameModel() | migrations.AlterModelTable():
            yield operation, RENAMES.format(what="table")
        case migrations.RenameField():
            yield operation, RENAMES.format(what="column")
        case migrations.DeleteModel():
            yield operation, DROPS.format(what="table")
        case migrations.RemoveField():
            yield operation, DROPS.format(what="column")
        case migrations.AddField():
            yield from ((operation, why) for why in _added(operation.field))
        case migrations.AlterField():
            was = state.models[app, table].fields[operation.name]
            yield from ((operation, why) for why in _altered(was, operation.field))
        case migrations.AddIndex() if not _concurrent(operation):
            yield operation, LOCKS.format(does="is indexed")
        case migrations.AddConstraint():
            yield operation, "The running code may break it, and checking what is there holds a lock."
        case migrations.AlterUniqueTogether() | migrations.AlterIndexTogether():
            yield operation, LOCKS.format(does="is indexed")
        case migrations.RunPython() | migrations.RunSQL():
            yield operation, OPAQUE


def _added(field: models.Field[Any, Any]) -> Iterator[str]:
    # Of a relation of many to many the table is new, and its own.
    if field.many_to_many:
        return
    if not field.null and not _has_db_default(field):
        yield "The running code writes rows without this column: give it db_default, or null=True."
    # A new column is empty, but the index of its uniqueness is built over all rows.
    if field.unique:
        yield LOCKS.format(does="is indexed")


def _altered(was: models.Field[Any, Any], becomes: models.Field[Any, Any]) -> Iterator[str]:
    if was.null and not becomes.null:
        yield "The running code may write nothing here. Write a value everywhere, and forbid null a release later."
    if _has_db_default(was) and not _has_db_default(becomes) and not becomes.null:
        yield "The running code may rely on the database's own value."
    if _kind(was) != _kind(becomes) and not _longer(was, becomes):
        yield "Rewrites the column under a lock, and the running code may not fit it. Add another column instead."
    if (becomes.unique and not was.unique) or (_indexed(becomes) and not _indexed(was)):
        yield LOCKS.format(does="is indexed")


def _indexed(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field, "db_index", False))


def _has_db_default(field: models.Field[Any, Any]) -> bool:
    return getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED


def _kind(field: models.Field[Any, Any]) -> tuple[str, Any, Any, Any]:
    relation = getattr(field.remote_field, "model", None)
    digits = (getattr(field, "max_digits", None), getattr(field, "decimal_places", None))
    return field.get_internal_type(), getattr(field, "max_length", None), digits, str(relation) if relation else None


def _longer(was: models.Field[Any, Any], becomes: models.Field[Any, Any]) -> bool:
    """Whether only a text may be longer, which PostgreSQL does without looking at the rows."""
    kinds = (_kind(was), _kind(becomes))
    if kinds[0][0] != kinds[1][0] or ("Char" not in kinds[0][0] and kinds[0][0] not in {"SlugField", "URLField"}):
        return False
    lengths = (cast("int | None", kinds[0][1]), cast("int | None", kinds[1][1]))
    return lengths[1] is None or (lengths[0] is not None and lengths[1] >= lengths[0])


def _concurrent(operation: Operation) -> bool:
    return type(operation).__name__ == "AddIndexConcurrently"
