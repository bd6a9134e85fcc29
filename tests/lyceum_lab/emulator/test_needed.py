"""A filler that moto has made superfluous must go: each stub stands for an operation that moto does not have.

Whether edits, notes and guards are still needed shows in `./lyceum prove apply`, which wants each of them used.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect

import pytest
from botocore import xform_name
from moto.core.responses import BaseResponse

from lyceum_lab.emulator import fillers
from lyceum_lab.emulator.wire import MODELS

# Operations that moto has and answers wrongly; what is wrong stands in the filler's reason.
WRONG_IN_MOTO = {
    ("backup", "ListTags"),
    *(("codebuild", operation) for operation in ("CreateProject", "BatchGetProjects", "DeleteProject")),
}
# Version 1 and version 2 sign alike; Terraform speaks the second, which moto keeps in a module of its own.
MODULES = {**MODELS, "ses": "sesv2"}


def moto_has(service: str, operation: str) -> bool:
    name = MODULES.get(service, service)
    if importlib.util.find_spec(f"moto.{name}") is None:
        return False
    module = importlib.import_module(f"moto.{name}.responses")
    classes = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, BaseResponse)]
    return any(xform_name(operation) in vars(c) for c in classes)


STUBBED = [(e.service, operation) for e in fillers.entries() if e.kind == "stub" for operation in e.operations]


@pytest.mark.parametrize(("service", "operation"), STUBBED)
def test_a_stub_stands_for_what_moto_lacks(service: str, operation: str) -> None:
    assert not moto_has(service, operation) or (service, operation) in WRONG_IN_MOTO


def test_an_operation_that_moto_has_is_noticed() -> None:
    assert moto_has("backup", "CreateBackupVault")
    assert moto_has("elasticfilesystem", "CreateFileSystem")


def test_the_exceptions_are_still_stubbed() -> None:
    assert set(STUBBED) >= WRONG_IN_MOTO


@pytest.mark.parametrize("entry", fillers.entries(), ids=lambda e: f"{e.service}-{e.kind}-{'-'.join(e.operations)}")
def test_each_says_why(entry: fillers.Entry) -> None:
    assert len(entry.because) > 20
