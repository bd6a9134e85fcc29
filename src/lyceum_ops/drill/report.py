"""What a drill found: one line a store for people, and the same as JSON and as a page of Markdown to keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lyceum_ops.console import out
from lyceum_ops.drill.manifest import Verdict


@dataclass
class StoreReport:
    """One store: its recovery point, how old that was (RPO, seconds), how long its restoration took."""

    name: str
    point: str
    age: float
    copy: str = ""
    seconds: float = 0.0
    parts: list[Verdict] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def moving(self) -> int:
        return sum(part.moving for part in self.parts)


@dataclass
class Report:
    """The whole drill. `seconds` is its RTO: from nothing to a learner who goes on; 0 when it did not come so far."""

    environment: str
    number: str
    began: datetime
    stores: dict[str, StoreReport] = field(default_factory=dict)
    seconds: float = 0.0
    learner: str = ""
    learner_failed: str = ""
    swept: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(store.rows for store in self.stores.values())

    @property
    def parts(self) -> int:
        return sum(len(store.parts) for store in self.stores.values())

    @property
    def age(self) -> float:
        """The RPO: the oldest of the points, as everything is lost that came after it."""
        return max((store.age for store in self.stores.values()), default=0.0)

    @property
    def wrong(self) -> list[str]:
        return [f"{store.name}: {text}" for store in self.stores.values() for text in store.wrong]

    @property
    def held(self) -> bool:
        """Whether everything came back, a learner went on, and nothing is left behind."""
        return bool(self.stores and self.learner and not (self.wrong or self.learner_failed or self.left))

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment, "drill": self.number, "began": self.began.isoformat(timespec="seconds"),
            "held": self.held, "rpo_seconds": round(self.age, 1), "rto_seconds": round(self.seconds, 1),
            "rows": self.rows, "differences": self.wrong,
            "learner": self.learner or self.learner_failed, "swept": self.swept, "left": self.left,
            "stores": [
                {
                    "name": store.name, "point": store.point, "rpo_seconds": round(store.age, 1), "copy": store.copy,
                    "restored_in_seconds": round(store.seconds, 1), "rows": store.rows, "rows_in_motion": store.moving,
                    "differences": store.wrong,
                    "parts": [
                        {"name": part.part, "rows": part.rows, "checksum": part.checksum, "rows_in_motion": part.moving,
                         "differences": list(part.wrong)}
                        for part in store.parts
                    ],
                }
                for store in self.stores.values()
            ],
        }  # fmt: skip

    def as_markdown(self) -> str:
        lines = [
            f"# Restore drill of {self.environment}, {self.began:%Y-%m-%d %H:%M} UTC",
            "",
            f"**{'Held' if self.held else 'FAILED'}.** RPO {_time(self.age)}, RTO {_time(self.seconds)}, "
            f"{self.rows} rows compared, {len(self.wrong)} differences. {self.learner or self.learner_failed}",
            "",
            "| store | recovery point | older than the drill by | restored in | rows | in motion | differences |",
            "|---|---|---|---|---|---|---|",
            *(
                f"| {one.name} | {one.point} | {_time(one.age)} | {_time(one.seconds)} | {one.rows} | {one.moving} "
                f"| {len(one.wrong)} |"
                for one in self.stores.values()
            ),
            "",
            *(f"- {text}" for text in (*self.wrong, *(f"left behind: {name}" for name in self.left))),
        ]
        for store in self.stores.values():
            lines += ["", f"## {store.name}", "", "| part | rows | checksum |", "|---|---|---|"]
            lines += [f"| {part.part} | {part.rows} | {part.checksum} |" for part in store.parts]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> Path:
        """Both forms into a folder. Returns the page's path."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"restore-{self.environment}-{self.began:%Y%m%dT%H%M%SZ}-{self.number}"
        stem.with_suffix(".json").write_text(json.dumps(self.as_dict(), indent=1) + "\n")
        page = stem.with_suffix(".md")
        page.write_text(self.as_markdown())
        return page

    def show(self) -> None:
        """A line a store, a line a difference, and the verdict."""
        for store in self.stores.values():
            out.print(
                f"{store.name}: {store.rows} rows in {len(store.parts)} parts, RPO {_time(store.age)}, "
                f"restored in {_time(store.seconds)}, {store.moving} rows in motion, {len(store.wrong)} differences",
                markup=False,
            )
        for text in (*self.wrong, *([self.learner_failed] if self.learner_failed else [])):
            out.print(f"DIFFERENCE  {text}", markup=False)
        for name in self.left:
            out.print(f"LEFT BEHIND  {name}", markup=False)
        out.print(
            f"{'held' if self.held else 'FAILED'}: RPO {_time(self.age)}, RTO {_time(self.seconds)}, "
            f"{self.rows} rows, {len(self.wrong)} differences",
            markup=False,
        )


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
