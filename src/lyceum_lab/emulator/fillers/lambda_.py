"""Lambda: where a function writes its log. No function ever runs here."""

from __future__ import annotations

from lyceum_lab.emulator.fillers import Service

functions = Service("lambda")

functions.overlay(
    written_by=("CreateFunction", "UpdateFunctionConfiguration"),
    key="FunctionName",
    fields={"LoggingConfig": "LoggingConfig"},
    read_by=("GetFunction",),
    at="Configuration",
    because="moto forgets the log group and the format of a function's log",
)
