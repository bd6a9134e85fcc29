"""Where things are: the checkout, and the two folders that the command keeps in it."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SRC = CHECKOUT / "src"
PYTHON = CHECKOUT / ".venv" / "bin" / "python"
# Everything that `./lyceum` writes: tools it fetched, the running rehearsal, logs. Safe to delete when nothing runs.
HOME = Path(os.environ.get("LYCEUM_HOME") or CHECKOUT / ".lyceum").resolve()
TOOLS = CHECKOUT / ".lyceum" / "tools"
REHEARSAL = HOME / "rehearsal"
# Beside the folder and never removed: a lock whose file is deleted locks nothing.
LOCK = HOME / "rehearsal.lock"
SAMPLE_COURSES = CHECKOUT / "samples" / "courses"
