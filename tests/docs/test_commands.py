"""What README and guides tell a reader to type is typed, in a clean clone, as far as it needs no AWS and no rehearsal.

That every other command exists, with its options, tests/test_docs.py shows; what it does, the suite that is named here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lyceum_lab import paths
from lyceum_lab.documents import commands

pytestmark = pytest.mark.docs

GUIDES = (
    "README.md", "docs/contributing.md", "docs/README.md", "docs/how-to/*.md", "docs/tutorial/*.md",
    "docs/explanation/*.md",
)  # fmt: skip
# Command → what it needs that a clone has not, and the suite that tries it.
ELSEWHERE = {
    "apply": "AWS: terraform, apply",
    "artifact": "a minute to fetch the wheels: unit",
    "bench": "a rehearsal: e2e",
    "bootstrap": "AWS: terraform, apply",
    "destroy": "AWS: terraform, apply",
    "drill": "a rehearsal: drill, cloud",
    "down": "a rehearsal: rehearsal",
    "exec": "a rehearsal: cloud",
    "files": "a rehearsal: cloud",
    "login": "AWS: unit",
    "logs": "AWS, or a rehearsal: logs, rehearsal",
    "plan": "AWS: terraform, apply",
    "preflight": "AWS: unit",
    "prove": "an apply: apply, packets",
    "rehearse": "minutes, and root: cloud",
    "releases": "AWS: unit, pipeline",
    "restore": "a rehearsal: drill, cloud",
    "rollback": "AWS: unit, pipeline",
    "serve": "the tutorial, which is done step by step: docs",
    "status": "a rehearsal: rehearsal",
    "test": "the suites are run as suites",
    "tunnel": "AWS, or a rehearsal: cloud",
    "up": "minutes: e2e",
}
# Those that are run elsewhere although their command is run here.
ALSO_ELSEWHERE = {"cost prod --plan plan.json"}
# What guides name in passing, and what has to leave a clone as it is: every page that is made is up to date.
NAMED = ("--help", "test --list", "design", "diagram --check", "cost --write", "docs --write")


def typed() -> dict[str, tuple[str, ...]]:
    """Every `./lyceum …` that a reader types, once."""
    pages = [page for pattern in GUIDES for page in sorted(paths.CHECKOUT.glob(pattern))]
    return {" ".join(one.words): one.words for page in pages for one in commands.named(page.read_text()) if one.typed}


def run(clone: Path, surroundings: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, cwd=clone, env=surroundings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def test_what_is_typed_is_run_here_or_elsewhere() -> None:
    named = {words[0] for words in typed().values()}
    assert len(named) > 12
    assert ELSEWHERE.keys() - named == set(), "nobody types these any more"
    assert {one for one in ALSO_ELSEWHERE if one not in typed()} == set()


def test_commands_work_in_a_clean_clone_and_every_made_page_is_up_to_date(
    clone: Path, surroundings: dict[str, str]
) -> None:
    here = [words for name, words in typed().items() if words[0] not in ELSEWHERE and name not in ALSO_ELSEWHERE]
    assert here
    for words in [*here, *(tuple(name.split()) for name in NAMED)]:
        assert run(clone, surroundings, "./lyceum", *words).strip()
    assert run(clone, surroundings, "git", "status", "--short", "--untracked-files=no") == "", "a made page is outdated"


def test_a_contributors_first_quarter_of_an_hour(clone: Path, surroundings: dict[str, str]) -> None:
    """Test, break, see it fail, put it back: as docs/contributing.md goes about it."""
    file, test = clone / "src/lyceum/progress/domain.py", "tests/lyceum/progress/test_domain.py"
    guide = (clone / "docs/contributing.md").read_text()
    assert f"$ .venv/bin/python -m pytest {test}" in guide
    whole = file.read_text()
    run(clone, surroundings, ".venv/bin/python", "-m", "pytest", "-q", test)
    assert "COMPLETE_PERCENT` 80 instead of 90" in guide
    file.write_text(re.sub(r"(?m)^(COMPLETE_PERCENT\b.*=) 90$", r"\1 80", whole))
    assert file.read_text() != whole
    name = "test_a_video_needs_nine_tenths_of_its_buckets"
    assert name in guide
    broken = subprocess.run(
        [".venv/bin/python", "-m", "pytest", "-q", test, "-k", name], cwd=clone, env=surroundings, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert broken.returncode == 1
    assert f"FAILED {test}::{name}" in broken.stdout
    file.write_text(whole)
    for words in ("makemigrations courses --check --dry-run", "check_migrations"):
        run(clone, surroundings, ".venv/bin/python", "manage.py", *words.split())
