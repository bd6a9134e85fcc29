"""The commands as they are typed: what they take, one line for what goes wrong, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest
from tests.lyceum_ops.conftest import Emulated

from lyceum_lab import cli, paths
from lyceum_ops.operate import Here

pytestmark = pytest.mark.terraform
Lyceum = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lyceum(here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lyceum:
    """`./lyceum` in the small checkout: exit code, what it printed, what it complained of."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(paths, "CHECKOUT", here.infra.parent)
        monkeypatch.setattr(paths, "HOME", here.home)
        monkeypatch.setattr(paths, "TOOLS", here.tools)
        monkeypatch.setattr(sys, "argv", ["lyceum", *words])
        capsys.readouterr()
        with open(os.devnull) as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_from_an_empty_account_to_a_destroyed_environment(account: Emulated, lyceum: Lyceum) -> None:
    code, said, _ = lyceum("preflight", "dev")
    assert code == 1
    assert "./lyceum bootstrap" in said
    code, said, _ = lyceum("bootstrap", "--alarm-email", "operator@example.org", "--yes")
    assert code == 0
    assert "The account is bootstrapped; its state lies in lyceum-state-123456789012." in said
    account.as_the_deployer()
    code, said, _ = lyceum("plan", "dev", "-var", "size=2", "--var", "protected=true")
    assert (code, "2 to create" in said) == (0, True)
    code, said, _ = lyceum("apply", "dev", "--yes", "--var", "protected=true")
    assert (code, "dev is applied." in said) == (0, True)
    code, _, err = lyceum("destroy", "dev", "--yes-destroy", "dev")
    assert code == 1
    assert err.startswith("lyceum: dev is protected, nothing was destroyed")
    assert len(err.strip().splitlines()) == 1
    assert lyceum("apply", "dev", "--yes", "--var", "protected=false")[0] == 0
    code, said, _ = lyceum("destroy", "dev", "--yes-destroy", "dev")
    assert (code, "dev is destroyed" in said) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["apply", "dev"], 1, r"no terminal"),
        (["plan", "stage"], 2, "There are: dev, prod."),
        (["plan", "dev", "--var", "size"], 2, "name=value"),
        (["plan", "dev", "--var-file", "none.tfvars"], 2, "is no file"),
        (["plan", "dev", "--account", "dev"], 2, "twelve digits"),
        (["destroy", "dev", "--yes"], 2, "--yes"),
        (["unlock", "dev"], 2, "ID"),
        (["unlock", "dev", "no-such-lock"], 1, "lock"),
        (["drill", "restore", "dev", "--rehearsal", "--weekly"], 2, "A rehearsal keeps no weekly recovery points."),
    ],
)
def test_what_goes_wrong_is_one_line(
    bootstrapped: Emulated, lyceum: Lyceum, words: list[str], code: int, said: str
) -> None:
    ended, _, err = lyceum(*words)
    assert ended == code, err
    assert said in err
    assert err.startswith("lyceum: ")
    assert len(err.strip().splitlines()) == 1
    assert not any(key.endswith(".tfstate") for key in bootstrapped.states())
