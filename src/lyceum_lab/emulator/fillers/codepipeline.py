"""CodePipeline: the times of a pipeline. What one is made of moto keeps as it was sent; nothing is ever run here."""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator.fillers import Service
from lyceum_lab.emulator.wire import Call

codepipeline = Service("codepipeline")


@codepipeline.edit("GetPipeline", because="moto writes times as text, which the SDKs refuse")
def rewrite_times(_: Call, result: dict[str, Any]) -> bool:
    # Read and written again, they are numbers.
    return "metadata" in result
