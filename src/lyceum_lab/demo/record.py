"""Goes through the scenes on a rehearsal and records them. What does not do as the storyboard expects ends it there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.cloud import standins
from lyceum_lab.cloud.network import namespaces
from lyceum_lab.demo import browser, pacing, prepare, stage, takes
from lyceum_lab.demo.storyboard import BROWSER, PLACEHOLDER, STILL, Scene, Step, Storyboard
from lyceum_lab.demo.takes import Take
from lyceum_lab.demo.terminal import PROMPT_SHOWN, Recorder, Shell
from lyceum_lab.rehearsal import infrastructure, state
from lyceum_lab.rehearsal.state import State
from lyceum_ops.errors import LyceumError


class SceneFailed(LyceumError):
    """What was expected of a scene did not happen; there is no film."""


def record(board: Storyboard, folder: Path, *, port: int, keep: bool, say: Callable[[str], None]) -> None:
    """Record every scene into a folder of its own below `folder`.

    A rehearsal that a scene starts or ends is that scene's; one that is needed and does not run is started before. At
    the end none runs, except with `keep`, which also takes the one that runs already. Raises SceneFailed.
    """
    if not keep and state.running() is not None:
        raise LyceumError("A rehearsal runs already.", "End it with ./lyceum down, or film it: ./lyceum demo --keep.")
    with ExitStack() as stack:
        if not keep:
            stack.callback(_down)
        for scene in board.scenes:
            if scene.still:
                continue
            if scene.rehearsal and state.running() is None:
                say(f"{scene.name} needs a rehearsal: starting one")
                _up(port)
            say(scene.name)
            began = time.monotonic()
            there = folder / scene.name
            shutil.rmtree(there, ignore_errors=True)
            there.mkdir(parents=True)
            found = film(scene, there, port)
            takes.write(there, found)
            pacing.check(scene, found)
            say(f"{scene.name}: recorded in {time.monotonic() - began:.0f} s")


def _up(port: int) -> None:
    done = subprocess.run(
        [str(paths.CHECKOUT / "lyceum"), "rehearse", "--detach", "--port", str(port)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LyceumError(f"The rehearsal did not start: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")


def _down() -> None:
    subprocess.run([str(paths.CHECKOUT / "lyceum"), "down"], capture_output=True, check=False)


def film(scene: Scene, folder: Path, port: int) -> list[Take]:
    """The takes of one scene. Raises SceneFailed, naming it."""
    there = state.running()
    if scene.rehearsal:
        for name in scene.before:
            prepare.ALL[name](_running(there), folder.parent)
    words = placeholders(there, port, folder.parent)
    kinds = {
        "browser" if one.action in BROWSER else "still" if one.action in STILL else "terminal" for one in scene.steps
    }
    found: list[Take] = []
    with ExitStack() as stack:
        recorder = stack.enter_context(_shells(scene, there)) if "terminal" in kinds else None
        page = None
        if "browser" in kinds:
            cloud = _running(there).cloud
            page = stack.enter_context(browser.opened(folder, proxy=cloud["proxy"]))
        for number, step in enumerate(scene.steps):
            where = f"Scene {scene.name}, step {number + 1}"
            if step.action in STILL:
                found.append(Take(seconds=step.seconds))
            elif step.action in BROWSER:
                assert page is not None  # noqa: S101 - opened above
                found.append(_browse(page, step, words, where))
            else:
                assert recorder is not None  # noqa: S101 - opened above
                now = placeholders(state.running(), port, folder.parent)
                found.append(_work(recorder, step, {**words, **now}, where))
    return found


def _running(there: State | None) -> State:
    if there is None or not there.cloud:
        raise LyceumError("The scene needs a rehearsal of the whole cloud.", "sudo ./lyceum rehearse --detach")
    return there


@contextmanager
def _shells(scene: Scene, there: State | None) -> Iterator[Recorder]:
    """A shell a pane, in the checkout; where a rehearsal runs, its account is the one that is operated."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in {"COLUMNS", "LINES", "PROMPT_COMMAND"}
    }
    if there and there.emulator:
        environment |= infrastructure.aws_environment(there.emulator)
        # What stands for AWS's own programs on an operator's machine, found as those would be.
        environment["PATH"] = f"{standins.FOLDER}:{environment['PATH']}"
    shells: dict[str, Shell] = {}
    try:
        for pane in stage.panes(scene):
            shells[pane["name"]] = Shell(pane["name"], pane["columns"], pane["rows"], paths.CHECKOUT, environment)
        recorder = Recorder(shells)
        yield recorder
    finally:
        for shell in shells.values():
            shell.close()


def placeholders(there: State | None, port: int, folder: Path) -> dict[str, str]:
    """What stands in braces in the storyboard, as it is on this rehearsal."""
    words = {"port": str(port), "home": str(paths.HOME), "key": namespaces.key(paths.REHEARSAL)}
    if there is None or not there.cloud or not there.cloud.get("servers"):
        return words
    cloud = there.cloud
    healthy = sorted(name for name, one in cloud["servers"].items() if one["health"] == "healthy")
    server = (healthy or sorted(cloud["servers"]))[0]
    words |= {
        "url": there.url, "proxy": cloud["proxy"], "emulator": there.emulator, "acl": prepare.acl_id(there),
        "bad_version": prepare.bad_version(folder),
        "server": server, "server_address": cloud["servers"][server]["address"],
    }  # fmt: skip
    for name, one in sorted(cloud["hosts"].items(), reverse=True):  # the first zone's is kept
        words[role := name.split("-us-")[0].replace("-", "_")] = name
        words[f"{role}_address"] = one["address"]
    for account in there.accounts:
        words |= {f"{account.role}_email": account.email, f"{account.role}_password": account.password}
    return words


def _filled(text: str, words: dict[str, str], where: str, *, pattern: bool = False) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1] not in words:
            raise SceneFailed(f"{where}: nobody knows what {found[0]} is.")
        return re.escape(words[found[1]]) if pattern else words[found[1]]

    return PLACEHOLDER.sub(one, text)


def _work(recorder: Recorder, step: Step, words: dict[str, str], where: str) -> Take:
    """A step in a terminal."""
    shell = recorder.shells[step.pane]
    text = _filled(step.value, words, where)
    patterns = [_filled(one, words, where, pattern=True) for one in step.expect]
    recorder.begin()
    for one in recorder.shells.values():
        if not one.greeted:
            recorder.take.events.append(takes.Event(0.0, "out", PROMPT_SHOWN, one.pane))
            one.greeted = True
    if step.action == "clear":
        shell.press("\f")
        recorder.pump(0.3)
        return recorder.end()
    if step.action in {"type", "start"}:
        recorder.type(step.pane, text)
    elif step.action == "interrupt":
        shell.press("\x03")

    def said() -> list[str]:
        return [one for one in patterns if not re.search(one, shell.plain, re.MULTILINE)]

    ends = step.action in {"type", "interrupt"}
    recorder.until(lambda: shell.code is not None if ends else not said(), step.within)
    recorder.pump(0.3)
    what = f"{where}: `{text or shell.pane}`"
    last = shell.plain.strip().splitlines() or ["nothing"]
    told = "; ".join(line.strip() for line in last[-4:] if line.strip())
    if ends and shell.code is None:
        raise SceneFailed(f"{what} did not end within {step.within:g} s. It said: {told}")
    if step.action == "type" and shell.code not in step.codes:
        wanted = " or ".join(map(str, step.codes))
        raise SceneFailed(f"{what} ended with {shell.code} and not with {wanted}. It said: {told}")
    if missing := said():
        raise SceneFailed(f"{what} did not say {missing[0]!r} within {step.within:g} s. It said: {told}")
    for pattern in step.never:
        if re.search(_filled(pattern, words, where, pattern=True), shell.plain, re.MULTILINE):
            raise SceneFailed(f"{what} said {pattern!r}, which it must not. It said: {told}")
    return recorder.end()


def _browse(page: browser.Browser, step: Step, words: dict[str, str], where: str) -> Take:
    """A step in the browser."""
    from playwright.sync_api import Error

    value = _filled(step.value, words, where)
    page.begin()
    try:
        if step.action == "open":
            page.page.goto(value, wait_until="load")
        elif step.action == "click":
            page.click(page.page.locator(value).first)
        elif step.action == "fill":
            page.fill(page.page.locator(value).first, _filled(step.more["text"], words, where))
        elif step.action == "play":
            _play(page, float(value), where)
        elif step.more.get("at"):
            page.move(page.page.locator(step.more["at"]).first)
        for one in step.expect:
            if not page.until_says(_filled(one, words, where, pattern=True), step.within):
                raise SceneFailed(f"{where}: the page {page.page.url.split('?')[0]} does not say {one!r}.")
        if step.more.get("resumes"):
            _resumes(page, where)
        page.pump(float(step.more.get("stay", 0.6)))
    except (Error, LookupError) as error:
        raise SceneFailed(f"{where}: {step.action} {value}: {str(error).splitlines()[0]}") from error
    return page.end()


def _play(page: browser.Browser, seconds: float, where: str) -> None:
    """Let the video play for some of its own seconds; it has to go on by itself."""
    began = page.video_second()
    page.page.evaluate("document.querySelector('video').play()")
    if not page.until_video(began + seconds, seconds * 3 + 15):
        raise SceneFailed(f"{where}: the video does not play; it stands at {page.video_second():.1f} s.")
    page.left = page.video_second()


def _resumes(page: browser.Browser, where: str) -> None:
    """The video is taken up where it was left, or shortly before."""
    if not page.until_video(max(0.5, page.left - 8), 15) or page.video_second() > page.left + 8:
        raise SceneFailed(f"{where}: the video stands at {page.video_second():.1f} s, was left at {page.left:.1f} s.")
