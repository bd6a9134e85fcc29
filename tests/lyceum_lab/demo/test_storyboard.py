"""The storyboard: it holds itself to what can be read and filmed, and names commands that exist."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
import yaml

from lyceum_lab import paths
from lyceum_lab.cli import app
from lyceum_lab.demo import prepare, storyboard
from lyceum_lab.demo.storyboard import NotThatWay, Storyboard


@pytest.fixture(scope="module")
def board() -> Storyboard:
    return storyboard.read()


def written(folder: Path, *steps: dict[str, object], **scene: object) -> Path:
    file = folder / "storyboard.yaml"
    file.write_text(yaml.safe_dump({"scenes": [{"name": "one", "title": "One", "steps": list(steps), **scene}]}))
    return file


def commands_in(line: str) -> list[list[str]]:
    """The commands of a line of shell, without what stands between them."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    found: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= set("|&;()<>"):
            found.append([])
        else:
            found[-1].append(token)
    return [words for words in found if words]


CARD = {"card": "Lyceum", "seconds": 4.0, "say": "Words that can be read in time."}


def test_the_film_is_as_long_as_was_asked_for_and_has_what_it_must_show(board: Storyboard) -> None:
    assert 4 * 60 <= board.seconds <= 6 * 60
    names = [scene.name for scene in board.scenes]
    must = {"architecture", "rehearse", "learn", "scale", "release", "packets", "rule", "cost", "down"}
    assert must <= set(names)
    assert names.index("rehearse") < names.index("learn") < names.index("down")


def test_every_command_of_the_film_exists(board: Storyboard) -> None:
    """Programs by their file, ./lyceum by its own command line: names and options."""
    seen = 0
    for scene in board.scenes:
        for step in scene.steps:
            if step.action not in {"type", "start"}:
                continue
            for words in commands_in(step.value):
                if words[0] != "./lyceum":
                    continue
                seen += 1
                command: object = typer.main.get_command(app)
                at = 1
                while hasattr(command, "commands"):
                    assert words[at] in command.commands, f"{scene.name}: {words}"
                    command, at = command.commands[words[at]], at + 1
                options = {option for one in command.params for option in one.opts}  # type: ignore[attr-defined]
                own = words[at : words.index("--")] if "--" in words else words[at:]
                for word in own:
                    assert not word.startswith("-") or word in options, f"{scene.name}: {words}: {word}"
    assert seen > 6


def test_what_is_shown_prepared_and_named_is_there(board: Storyboard) -> None:
    for scene in board.scenes:
        assert set(scene.before) <= set(prepare.ALL)
        for step in scene.steps:
            if step.action == "picture":
                assert (paths.CHECKOUT / step.value).is_file()
                assert all(len(view) == 5 for view in step.more["views"])


def test_captions_follow_one_another_and_say_something_in_every_scene(board: Storyboard) -> None:
    captions = board.captions()
    assert all(one.end <= other.begin for one, other in pairwise(captions))
    assert captions[-1].end <= board.seconds
    for begin, end, title in board.chapters():
        assert any(begin <= one.begin < end for one in captions), title


def test_the_webvtt_is_one(board: Storyboard) -> None:
    text = storyboard.webvtt(board.captions())
    head, *cues = text.rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    assert len(cues) == len(board.captions())
    for cue in cues:
        time, *lines = cue.split("\n")
        assert re.fullmatch(r"\d\d:\d\d\.\d{3} --> \d\d:\d\d\.\d{3}", time)
        assert 1 <= len(lines) <= storyboard.LINES
        assert not any("<" in line or "-->" in line for line in lines)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"card": "x", "seconds": 4, "say": "word " * 40}, "characters a second"),
        ({"card": "x", "seconds": 60, "say": "word " * 60}, "lines of 84 characters"),
        ({"card": "x", "seconds": 1, "say": "Short."}, "stands for"),
        ({"card": "x", "seconds": 9, "say": [[2, "Later."], [1, "Sooner."]]}, "its captions are not in their order"),
        ({"card": "x", "seconds": 3, "say": [[3.5, "Too late."]]}, "begins outside of it"),
        ({"type": "./lyceum status", "seconds": 5}, "nothing is expected of it"),
        ({"type": "true", "seconds": 5, "expect": "("}, "is no pattern"),
        ({"type": "true", "seconds": 5, "expect": "x", "pace": "hurried"}, "there is no pace"),
        ({"type": "true", "card": "x", "seconds": 5}, "a step does one of"),
        ({"seconds": 5}, "a step does one of"),
    ],
)
def test_what_cannot_be_filmed_or_read_is_refused(tmp_path: Path, step: dict[str, object], said: str) -> None:
    with pytest.raises(NotThatWay, match=re.escape(said)):
        storyboard.read(written(tmp_path, step))
    storyboard.read(written(tmp_path, CARD))  # and for no other reason


def test_some_scenes_make_a_film_of_their_own_and_unknown_ones_are_named(board: Storyboard) -> None:
    assert [scene.name for scene in board.only(["cost", "learn"]).scenes] == ["learn", "cost"]
    assert board.only([]) == board
    with pytest.raises(NotThatWay, match="There is no scene named 'dance'"):
        board.only(["dance"])
