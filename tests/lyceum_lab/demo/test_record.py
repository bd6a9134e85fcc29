"""Recording: a real shell, and a scene that does not do as it should fails by its name."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lyceum_lab import paths
from lyceum_lab.demo import prepare, record, takes
from lyceum_lab.demo.record import SceneFailed
from lyceum_lab.demo.storyboard import Scene, Step


def scene(*steps: Step) -> Scene:
    return Scene("greeting", "A greeting", steps)


def typed(value: str, **more: Any) -> Step:
    return Step("type", value, 5.0, **more)


def said(found: takes.Take) -> str:
    return "".join(event.value for event in found.events if event.kind == "out")


def test_what_a_command_shows_is_recorded_as_it_is_typed_and_as_it_comes(tmp_path: Path) -> None:
    first, second = record.film(
        scene(typed("echo a-$((40 + 2))", expect=("^a-42$",)), typed("sleep 1; echo late", expect=("^late$",))),
        tmp_path, 8000,
    )  # fmt: skip
    assert "echo a-$((40 + 2))" in said(first)
    assert "a-42" in said(first)
    assert 0 < first.typed < first.seconds
    late = next(event.at for event in second.events if "late\r\n" in event.value and event.at > second.typed)
    assert late - second.typed >= 1
    takes.write(tmp_path, [first, second])
    assert takes.read(tmp_path) == [first, second]


def test_a_command_goes_on_in_its_pane_until_it_is_interrupted(tmp_path: Path) -> None:
    counting = Step("start", "while :; do echo one; sleep 0.1; done", 5.0, expect=("one",))
    found = record.film(scene(counting, Step("watch", "more", 5.0, expect=("(one\n){3}",)), Step("interrupt", "", 2.0)),
                        tmp_path, 8000)  # fmt: skip
    assert "^C" in said(found[2])


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (typed("echo something", expect=("^nothing$",)), "did not say '^nothing$'"),
        (typed("echo well; (exit 3)", expect=("well",)), "ended with 3 and not with 0"),
        (typed("echo well", expect=("well",), codes=(2,)), "ended with 0 and not with 2"),
        (typed("echo 3 lost", expect=("lost",), never=("[1-9] lost",)), "which it must not"),
        (typed("sleep 20", expect=("x",), within=0.5), "did not end within 0.5 s"),
        (Step("watch", "x", 5.0, expect=("never",), within=0.5), "did not say 'never' within 0.5 s"),
        (typed("echo {moon}", expect=("x",)), "nobody knows what {moon} is"),
    ],
)
def test_what_is_not_as_expected_fails_by_the_scenes_name(tmp_path: Path, step: Step, reason: str) -> None:
    with pytest.raises(SceneFailed) as failed:
        record.film(scene(typed("true", expect=("",)), step), tmp_path, 8000)
    assert str(failed.value).startswith("Scene greeting, step 2: ")
    assert reason in str(failed.value)


def test_the_mistake_of_the_bad_release_can_still_be_made() -> None:
    """It is applied to this checkout while the film is made; code that moved on has to take it along."""
    done = subprocess.run(
        ["git", "-C", str(paths.CHECKOUT), "apply", "--check", str(prepare.PATCH)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "\nRELEASE" not in (paths.CHECKOUT / "src" / "lyceum" / "settings.py").read_text()
