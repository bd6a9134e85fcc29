"""`python -m lyceum_lab.emulator --port N [--calls FILE.jsonl]`."""

from lyceum_lab.emulator.server import main

main()
