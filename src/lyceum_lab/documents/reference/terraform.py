"""`docs/reference/terraform.md`: every variable and output of both roots and of each module."""

from __future__ import annotations

from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.reference import hcl, markdown

INFRA = paths.CHECKOUT / "infra"
HEAD = f"""{markdown.MADE}
# Terraform: variables and outputs

What a root takes is given by `--var`, by `--var-file`, or stands in `infra/platform/env/`. What a module takes is given
by its root. Types and defaults are as the code writes them; a value that a variable refuses is answered by a sentence
that names it.
"""
ROOTS = {"bootstrap": "what an account has once", "platform": "an environment"}


def page(infra: Path = INFRA) -> tuple[str, list[str]]:
    """The page, and each variable and output without a description or a type."""
    parts, faults = [HEAD], []
    for name, what in ROOTS.items():
        parts.append(f"\n## infra/{name}: {what}\n")
        faults += _folder(infra / name, parts, infra)
    for folder in sorted(path for path in (infra / "modules").iterdir() if path.is_dir()):
        readme = folder / "README.md"
        parts.append(f"\n## infra/modules/{folder.name}\n\n[README](../../infra/modules/{folder.name}/README.md)\n")
        if not readme.exists():
            faults.append(f"infra/modules/{folder.name} has no README.md")
        faults += _folder(folder, parts, infra)
    return "".join(parts), faults


def _folder(folder: Path, parts: list[str], infra: Path) -> list[str]:
    where = folder.relative_to(infra.parent)
    variables = [each for file in sorted(folder.glob("*.tf")) for each in hcl.blocks(file, "variable")]
    outputs = [each for file in sorted(folder.glob("*.tf")) for each in hcl.blocks(file, "output")]
    faults = [
        f"{where}: {each.kind} {each.label} has no {wanted}"
        for each in (*variables, *outputs)
        for wanted in ("description", *(("type",) if each.kind == "variable" else ()))
        if not each.text(wanted).strip()
    ]
    if variables:
        rows = [(markdown.code(one.label), _meaning(one), _default(one)) for one in variables]
        parts.append(f"\n{markdown.table(('variable', 'meaning and type', 'default'), rows)}")
    if outputs:
        told = [(markdown.code(one.label), one.text("description") + _secret(one)) for one in outputs]
        parts.append(f"\n{markdown.table(('output', 'meaning'), told)}")
    return faults


def _meaning(one: hcl.Block) -> str:
    return f"{one.text('description')} {markdown.code(one.arguments.get('type', ''))}{_secret(one)}"


def _default(one: hcl.Block) -> str:
    return markdown.code(one.arguments["default"]) if "default" in one.arguments else "required"


def _secret(one: hcl.Block) -> str:
    kept = "kept in no plan and no state" if one.arguments.get("ephemeral") == "true" else ""
    return f" ({kept or 'sensitive'})" if kept or one.arguments.get("sensitive") == "true" else ""
