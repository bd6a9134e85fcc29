"""All of it over all pages: one line for each thing that is wrong, by page and line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.runbook import alarms, awscli, command, pages
from lyceum_lab.documents.runbook.awscli import Call, Wrong
from lyceum_lab.documents.runbook.pages import Command, Page

# What a page may run besides `aws` and `./lyceum`, and whether it only reads.
PROGRAMS = {"git": False, "psql": False, "terraform": False, "curl": True, "dig": True}
# The environment and the account stand for themselves: README.md says how they are set.
SET_ONCE = {"ENV": "dev", "ACCOUNT": alarms.ACCOUNT, "AWS_REGION": "us-east-1", "PWD": "."}
# What stands for an answer that only AWS knows.
GIVEN = "given-by-the-command-before"


def load(folder: Path) -> dict[str, Page]:
    """Every page but the index."""
    return {path.stem: pages.read(path) for path in sorted(folder.glob("*.md")) if path.stem != "README"}


def problems(folder: Path, infra: Path) -> list[str]:
    """Everything that is wrong with the runbook; empty when nothing is."""
    found = load(folder)
    known = alarms.names(infra)
    told = [*coverage(found, (folder / "README.md").read_text(), alarms.declared(infra))]
    for page in (*found.values(), pages.read(folder / "README.md")):
        told += form(page, alarms.declared(infra)) if page.name != "README" else []
        told += commands(page)
        told += strange_names(page, known)
    return told


def coverage(found: dict[str, Page], index: str, declared: alarms.Alarms) -> list[str]:
    """An alarm without a page, a page that the index does not name, a name in the index without a page."""
    listed = set(re.findall(r"\]\(([a-z0-9-]+)\.md\)", index))
    every = (*declared.environment, *declared.account)
    told = [f"{alarm}: an alarm without a page" for alarm in every if alarm not in found]
    told += [f"{page}: not in the index" for page in found if page not in listed]
    told += [f"{page}: in the index, and no page" for page in sorted(listed) if page not in found]
    told += [
        f"{budget}: a budget that no page speaks of"
        for budget in declared.budgets
        if not any(budget in page.text for page in found.values())
    ]
    return told


def form(page: Page, declared: alarms.Alarms) -> list[str]:
    """Sections that are missing, empty, out of order or more than there should be."""
    is_alarm = page.name in {*declared.environment, *declared.account}
    wanted = [*pages.SECTIONS]
    if is_alarm:
        wanted.insert(-1, pages.THRESHOLD)
    elif pages.THRESHOLD in page.sections:
        return [f"{page.name}: gives a threshold, and no alarm has its name"]
    if list(page.sections) != wanted:
        return [f"{page.name}: its sections are {list(page.sections)}, not {wanted}"]
    told = [f"{page.name}: {heading} is empty" for heading, body in page.sections.items() if not body]
    if not any(each.block == pages.READS for each in page.commands):
        told.append(f"{page.name}: no command that looks first")
    if re.search(r"\b(TBD|TODO|to follow|coming soon)\b", page.text, re.IGNORECASE):
        told.append(f"{page.name}: is not finished")
    return told


def commands(page: Page) -> list[str]:
    """Commands that would be refused, or that stand in a block of the wrong kind."""
    told: list[str] = []
    known = dict(SET_ONCE)
    for each in page.commands:
        try:
            reads = look(each, known)
        except KeyError as error:
            told.append(f"{page.name}:{each.line}: nothing sets ${error.args[0]}")
            continue
        except (Wrong, ValueError) as error:
            told.append(f"{page.name}:{each.line}: {error}")
            continue
        finally:
            if each.variable:
                known[each.variable] = GIVEN
        # What looks something up for the change after it stands beside the change.
        if reads is not None and reads != (each.block == pages.READS) and not (reads and each.variable):
            kind = "only reads" if reads else "changes something"
            told.append(f"{page.name}:{each.line}: {kind}, and stands in a {each.block} block")
        if wrong := _shape(each, known):
            told.append(f"{page.name}:{each.line}: {wrong}")
    return told


def _shape(each: Command, known: dict[str, str]) -> str:
    """What is wrong with the answer that the page shows; "" when nothing is."""
    words = shlex.split(pages.fill(each.text, known))
    if "--query" not in words or "text" not in words or not each.shown:
        return ""
    wanted = awscli.columns(words[words.index("--query") + 1])
    odd = [line for line in each.shown if wanted and len(line.split("\t")) != wanted]
    return f"shows {len(odd[0].split(chr(9)))} columns, and --query picks {wanted}" if odd else ""


def look(each: Command, known: dict[str, str]) -> bool | None:
    """Whether a command only reads; None for a plain assignment, which it notes in `known`."""
    given = re.fullmatch(r"(?:export )?([A-Z][A-Z_]*)=([^ ]*|\"[^\"]*\"|'[^']*')", each.text)
    if given and not each.variable:
        known[given[1]] = pages.fill(given[2].strip("\"'"), known)
        return None
    if each.text.startswith("export ") and not each.variable:
        for name, _, value in (word.partition("=") for word in shlex.split(each.text)[1:]):
            known[name] = pages.fill(value, known)
        return None
    text = pages.fill(each.text, known)
    if inside := re.fullmatch(r'eval "\$\((.+)\)"', text):
        text = inside[1]
    words = shlex.split(text)
    if words[:1] == ["sudo"]:
        words = words[1:]
    if words[0] == "aws":
        call = awscli.parse(words[1:])
        # Waiting belongs to what is waited for.
        return None if call.waits else call.reads
    if words[0] == "./lyceum":
        return command.check(words[1:])
    if words[0] not in PROGRAMS:
        raise Wrong(f"{words[0]} is no program that a page may use")
    for word in words if words[0] == "terraform" else ():
        address = re.fullmatch(r"module\.(\w+)\.(\w+)\.(\w+)(?:\[0\])?", word)
        if address and not _declared(*address.groups()):
            raise Wrong(f"Terraform has no {word}")
    return PROGRAMS[words[0]]


def _declared(module: str, kind: str, label: str) -> bool:
    folder = paths.CHECKOUT / "infra" / "modules" / module.replace("_", "-")
    return any(f'resource "{kind}" "{label}"' in file.read_text() for file in folder.glob("*.tf"))


def ask(page: Page, answer: Callable[[Call], str], *, changes: bool = False) -> None:
    """Have `answer` make what the page asks of AWS, with `changes` also what changes something, as a reader does it.

    What depends on an answer that never came ("" of `answer`), or on a change that was left out, is left out.
    """
    known = dict(SET_ONCE)
    for each in page.commands:
        told = ""
        if each.text.startswith("aws "):
            words = shlex.split(pages.fill(each.text, {name: known.get(name, GIVEN) for name in _variables(each.text)}))
            call = awscli.parse(words[1:])
            if (call.reads or changes) and call.operation and not call.waits and GIVEN not in " ".join(words):
                told = answer(call)
        else:
            look(each, known)
        if each.variable:
            known[each.variable] = told or GIVEN


def _variables(text: str) -> list[str]:
    return re.findall(r"\$\{?([A-Z][A-Z_]*)", text)


def strange_names(page: Page, known: set[str]) -> list[str]:
    """Names of resources that infra/ does not give and the page does not make."""
    text = page.text
    made = set(re.findall(r"^\$ [A-Z_]+=(\S*lyceum-\S+)", text, re.MULTILINE))
    for name in made:
        text = text.replace(name, "")
    text = re.sub(r"\$\{?ENV\}?|<env>", "dev", text).replace("$ACCOUNT", alarms.ACCOUNT)
    return [f"{page.name}: infra/ gives no {name}" for name in sorted(set(alarms.named(text)) - known)]
