"""`docs/reference/api.md`: the REST API, from the description that the platform gives at /api/v1/openapi.json."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from lyceum_lab import paths
from lyceum_lab.documents.reference import markdown
from lyceum_ops.errors import CommandFailed

HEAD = f"""{markdown.MADE}
# REST API

What the pages of the site talk to, at `/api/v1/`; for programs it is described at `/api/v1/openapi.json`. Whoever is
signed in to the site is signed in here: a session's cookie, and with what changes something Django's token against
forged requests in `X-CSRFToken`. Every refusal is `{{"code": …, "detail": …}}`: a word for programs and a sentence for
people.
"""
ASK = "import json; from lyceum.api import api; print(json.dumps(api.get_openapi_schema()))"


def page() -> tuple[str, list[str]]:
    """The page, and what of the API has no description."""
    return made(described())


def described() -> dict[str, Any]:
    """The platform's OpenAPI description. Raises CommandFailed when it gives none."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(paths.PYTHON), str(paths.CHECKOUT / "manage.py"), "shell", "--no-imports", "--command", ASK],
            env={"PATH": os.environ.get("PATH", ""), "LYCEUM_VAR_DIR": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=paths.CHECKOUT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise CommandFailed(f"The platform does not describe its API: {done.stderr.strip().splitlines()[-1]}")
    description: dict[str, Any] = json.loads(done.stdout)
    return description


def made(description: dict[str, Any]) -> tuple[str, list[str]]:
    """The page of an OpenAPI description, and what of it is not described."""
    schemas = description["components"]["schemas"]
    parts, faults = [HEAD], []
    shown: dict[str, Any] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            if not operation.get("description"):
                faults.append(f"{name} has no description")
            parts.append(f"\n## {name}\n\n{operation.get('description', '')}\n\n")
            parts.append(markdown.table(("", "what"), _rows(operation, schemas, shown)))
    parts.append("\n## What is sent and answered\n")
    for name, schema in sorted(shown.items()):
        if not schema.get("description"):
            faults.append(f"{name} has no description")
        parts.append(f"\n### {name}\n\n{schema.get('description', '')}\n\n")
        required, rows = schema.get("required", []), []
        for one, of in schema["properties"].items():
            if not of.get("description"):
                faults.append(f"{name}.{one} has no description")
            rows.append((markdown.code(one), _type(of), of.get("description", ""), "yes" if one in required else "no"))
        parts.append(markdown.table(("field", "type", "meaning", "required"), rows))
    return "".join(parts), faults


def _rows(operation: dict[str, Any], schemas: dict[str, Any], shown: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.get("parameters", []):
        yield f"in the {parameter['in']}", f"`{parameter['name']}`: {_type(parameter['schema'])}"
    if "requestBody" in operation:
        yield "takes", _named(operation["requestBody"], schemas, shown)
    answers: dict[str, list[str]] = {}
    for status, answer in operation["responses"].items():
        answers.setdefault(_named(answer, schemas, shown), []).append(str(status))
    for what, statuses in answers.items():
        yield f"answers {', '.join(statuses)}", what


def _named(holder: dict[str, Any], schemas: dict[str, Any], shown: dict[str, Any]) -> str:
    """A link to a schema's table; the schema itself is noted."""
    schema = holder["content"]["application/json"]["schema"]
    name = schema["$ref"].rsplit("/", 1)[1] if "$ref" in schema else schema["title"]
    shown[name] = schemas[name] if "$ref" in schema else schema
    return f"[{name}](#{name.lower()})"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "prefixItems" in schema:
        return "[" + ", ".join(_type(each) for each in schema["prefixItems"]) + "]"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))
