"""docs/reference is what the code makes of it, whole, and names what is described nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import pytest
import typer
import typer.main

from lyceum_lab import paths
from lyceum_lab.documents.reference import alarms, api, commands, hcl, markdown, pages, settings, terraform
from lyceum_ops.errors import LyceumError


def test_the_pages_are_what_the_code_makes() -> None:
    assert pages.outdated() == [], "run ./lyceum docs --write"


def test_an_older_page_is_noticed_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGES", {"one.md": lambda: ("new\n", [])})
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    assert pages.outdated() == ["one.md"]
    (tmp_path / "one.md").write_text("old\n")
    assert pages.outdated() == ["one.md"]
    assert pages.write() == [tmp_path / "one.md"]
    assert pages.outdated() == []
    assert pages.write() == []


def test_what_is_described_nowhere_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGES", {"one.md": lambda: ("", ["the setting X"]), "two.md": lambda: ("", ["Y"])})
    with pytest.raises(LyceumError, match="the setting X; Y"):
        pages.made()


def test_every_command_is_there_with_its_options() -> None:
    page, faults = commands.page()
    assert faults == []
    for name in ("### serve", "### prove network", "### exec", "### release"):
        assert f"\n{name}\n" in page
    assert "| `--from` `WHO` |" in page
    assert "./lyceum files well|slow|hung" in page


def test_a_command_and_an_option_without_help_are_noticed() -> None:
    app = typer.Typer()

    @app.command()
    def mute(loud: bool = False, where: Annotated[str, typer.Option(help="Where.")] = "") -> None:
        pass

    group = typer.main.get_group(app)
    ((name, command),) = commands.leaves(group)
    assert commands.undescribed(name, command) == [
        "./lyceum mute has no help text",
        "./lyceum mute: --loud has no help text",
    ]


def tree(folder: Path) -> Path:
    """A copy of infra/."""
    shutil.copytree(paths.CHECKOUT / "infra", folder / "infra", ignore=shutil.ignore_patterns(".terraform*", ".build"))
    return folder


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('NEW = environment.flag("NEW_SETTING")', ["the setting NEW_SETTING is read and described nowhere"]),
        ('import os\nA = os.environ["OTHER"]', ["the setting OTHER is read and described nowhere"]),
        ('import os\nA = os.environ.get("THIRD")', ["the setting THIRD is read and described nowhere"]),
        ('NAME = "LYCEUM_FOURTH"', ["the setting LYCEUM_FOURTH is read and described nowhere"]),
        ('import os\nos.environ["SET_ONLY"] = "1"', []),
    ],
)
def test_a_setting_that_is_described_nowhere_is_noticed(tmp_path: Path, line: str, said: list[str]) -> None:
    (tmp_path / "src/lyceum").mkdir(parents=True)
    whole = (paths.SRC / "lyceum" / "settings.py").read_text()
    (tmp_path / "src/lyceum/settings.py").write_text(f"{whole}\n{line}\n")
    faults = [one for one in settings.page(tmp_path)[1] if "described nowhere" in one]
    assert faults == said


def test_a_setting_that_nothing_reads_any_more_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "src/lyceum").mkdir(parents=True)
    whole = (paths.SRC / "lyceum" / "settings.py").read_text()
    (tmp_path / "src/lyceum/settings.py").write_text(whole.replace('environment.text("EMAIL_FROM", ', "str("))
    assert "the setting EMAIL_FROM is described and read nowhere" in settings.page(tmp_path)[1]


def test_every_variable_and_output_of_terraform_is_there() -> None:
    page, faults = terraform.page()
    assert faults == []
    for kind in ("variable", "output"):
        for file in (paths.CHECKOUT / "infra").glob("**/*.tf"):
            if "tests" not in file.parts and ".terraform" not in file.parts:
                for block in hcl.blocks(file, kind):
                    assert f"| `{block.label}` |" in page
    assert page.count("\n| `") > 250
    assert '| `nat` | NAT gateways: "one"' in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('variable "new" {\n  type = string\n}\n', "infra/modules/one: variable new has no description"),
        ('variable "new" {\n  description = "It."\n}\n', "infra/modules/one: variable new has no type"),
        ('output "new" {\n  value = 1\n}\n', "infra/modules/one: output new has no description"),
        ('output "new" {\n  description = ""\n  value = 1\n}\n', "infra/modules/one: output new has no description"),
    ],
)
def test_a_variable_or_output_without_description_is_noticed(tmp_path: Path, text: str, said: str) -> None:
    module = tmp_path / "infra" / "modules" / "one"
    module.mkdir(parents=True)
    (module / "README.md").write_text("# one\n")
    (module / "anything.tf").write_text(text)
    assert terraform.page(tmp_path / "infra")[1] == [said]


def test_values_are_read_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "variables.tf"
    file.write_text(
        'variable "one" {\n  description = "A \\"word\\"."\n  type = object({\n    name = string # why\n'
        '    size = optional(number, 3)\n  })\n  default = {}\n\n  validation {\n    condition = true\n  }\n}\n'
    )  # fmt: skip
    (block,) = hcl.blocks(file, "variable")
    assert block.text("description") == 'A "word".'
    assert block.arguments["type"] == "object({ name = string, size = optional(number, 3) })"
    assert block.arguments["default"] == "{}"
    assert "condition" not in block.arguments


def test_every_alarm_has_its_threshold_and_its_page() -> None:
    page, faults = alarms.page()
    assert faults == []
    assert "`HTTPCode_ELB_5XX_Count Sum >= 10` in 2 of 3 periods of 300 s" in page
    assert "`FreeStorageSpace Minimum <= 1 GiB`" in page
    assert "var.thresholds" not in page


def test_an_alarm_that_does_not_say_why_is_noticed(tmp_path: Path) -> None:
    infra = tree(tmp_path) / "infra"
    file = infra / "modules" / "alarms" / "table.tf"
    file.write_text(file.read_text().replace('      why      = "A page takes', '      hence    = "A page takes'))
    assert alarms.page(infra)[1] == ["alarm latency does not say its why"]


def test_the_api_is_described_whole() -> None:
    description = api.described()
    page, faults = api.made(description)
    assert faults == []
    for path in description["paths"]:
        assert path in page
    description["paths"]["/api/v1/progress/reports"]["post"]["description"] = ""
    del description["components"]["schemas"]["OutcomeOut"]["properties"]["percent"]["description"]
    assert api.made(description)[1] == [
        "POST /api/v1/progress/reports has no description", "OutcomeOut.percent has no description",
    ]  # fmt: skip


def test_a_cell_stays_one_cell() -> None:
    assert markdown.cell("a | b\n<it> `<code>`") == "a \\| b &lt;it> `<code>`"
