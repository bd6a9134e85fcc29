"""`docs/reference/settings.md`: every environment variable that the code reads, found in the code itself.

The platform's own stand in a table at the top of its settings; the others are described here. One that is read and
described nowhere is a fault, and so is one that is described and read nowhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.documents.reference import markdown

HEAD = f"""{markdown.MADE}
# Settings

All of them are environment variables; an empty one counts as not given. A value that cannot be understood stops the
start with one sentence that names the variable, what was given and what is allowed.

## The platform

"""
# Functions of lyceum.environment whose first argument is a variable's name.
READERS = {"text", "flag", "count", "choice", "names"}
# Where a variable of ours may be read that is written in no Python.
WRITTEN = ("lyceum", "src/**/*.py", "instance/*", "functions/**/*.py", "pipeline/*.yml", "infra/modules/*/*.tf")
# What the system sets and every program reads; and what is a call's own, not a process's.
AMBIENT = {"PATH", "TERM", "NO_PROXY", "no_proxy", "NOTIFY_SOCKET"}

GROUPS: dict[str, dict[str, str]] = {
    "`./lyceum`": {
        "LYCEUM_HOME": "where it keeps what runs, logs and tools; `.lyceum` in the checkout if not given",
        "LYCEUM_PYTHON": "the Python from which `.venv` is made, where the PATH has several",
        "LYCEUM_TERRAFORM_RELEASES": "where Terraform is fetched from when the PATH has none that is new enough: an "
        "address with its publisher's layout",
        "LYCEUM_VARIABLES": "Terraform variables as a JSON object of texts, under those of `--var`; the pipeline says "
        "them there",
        "LYCEUM_URL": "where `./lyceum smoke` asks, in place of `--url`",
        "CI": "when set, `./lyceum test` skips nothing: what a machine lacks is a failure",
        "AWS_REGION": "the region, for `./lyceum` and for the platform's own clients",
        "AWS_PROFILE": "the credentials by name, as the AWS tools have them; `./lyceum tunnel` tells it to the plugin",
        "AWS_ENDPOINT_URL": "an AWS that is not Amazon's, as the emulated one",
        "AWS_ENDPOINT_URL_S3": "the same for S3 alone",
    },
    "`manage.py`": {
        "LYCEUM_USER_PASSWORD": "the password that `create_user` gives, in place of asking for it",
        "LYCEUM_APPLICATION_PASSWORD": "the password that `grant_application_role` gives the servers' role",
    },
    "`./lyceum migrate`, and a server's start": {
        "LYCEUM_DATABASE_ADDRESS": "host of the database",
        "LYCEUM_DATABASE_PORT": "its port",
        "LYCEUM_DATABASE_NAME": "the database's name",
        "LYCEUM_DATABASE_MASTER_SECRET_ARN": "the secret of its owner, who may change tables; `migrate` alone",
        "LYCEUM_DATABASE_SECRET_ARN": "the secret of the servers' role, which may not",
        "LYCEUM_DATABASE_SSLMODE": "how the connection is encrypted; `require` if not given",
        "LYCEUM_SECRET_KEY_ARN": "the secret that becomes SECRET_KEY; a server's start alone",
    },
    "An app server": {
        "LYCEUM_ENVIRONMENT": "name of the environment; in the pipeline, of the one that a stage is about",
        "LYCEUM_RELEASE": "the version that user data fetched, for the install script",
        "LYCEUM_FILE_SYSTEM_ID": "the file system that is mounted",
        "LYCEUM_ACCESS_POINT_ID": "the access point by which",
        "LYCEUM_ADDRESS": "where the web server listens; on all addresses if not given",
        "LYCEUM_PORT": "on which port; 8000 if not given",
        "LYCEUM_KEEP_ALIVE_SECONDS": "seconds that an idle connection lives; 75 if not given, more than with the "
        "load balancer",
        "LYCEUM_METRICS_NAMESPACE": "where the agent's metrics go",
        "LYCEUM_AUTOSCALING_GROUP": "the group by which the agent adds them up",
        "LYCEUM_SYSTEM_LOG_GROUP": "where the system's log goes",
        "LYCEUM_APPLICATION_LOG_GROUP": "where the platform's log goes",
        "LYCEUM_METADATA": "address of the metadata service; 169.254.169.254 if not given",
        "LOG_GROUPS": "of the function that purges logs: the groups, as a JSON list",
        "CANARY_URL": "of the function that asks for a page from outside: which one",
        "CANARY_NAMESPACE": "of the same: the namespace of metrics in which it tells whether it came",
    },
    "The pipeline": {
        "LYCEUM_SUITE": "the suites that the verify stage runs",
        "LYCEUM_VERSION": "the release that the build stage made, for the stages after it",
        "LYCEUM_PLAN_SUMMARY": "what the plan stage says to whoever approves",
    },
    "Between parts of the rehearsal": {
        "LYCEUM_REHEARSAL": "marks the processes of a rehearsal, so that its end finds them",
        "LYCEUM_PROOF": "marks those of a proof",
        "LYCEUM_STANDIN_MEMORY_FILE": "where the agent's stand-in reads the memory in use",
        "LYCEUM_STANDIN_TIME_SCALE": "by how much its intervals are divided",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "where it finds the metadata service",
    },
}


def page(checkout: Path = paths.CHECKOUT) -> tuple[str, list[str]]:
    """The page, and each variable that is read and not described, or described and not read."""
    platform = own(checkout / "src" / "lyceum" / "settings.py")
    described = {name: meaning for group in GROUPS.values() for name, meaning in group.items()}
    described |= {name: meaning for name, _, meaning in platform}
    found = read(checkout)
    faults = [f"the setting {name} is read and described nowhere" for name in sorted(found - described.keys())]
    faults += [f"the setting {name} is described and read nowhere" for name in sorted(described.keys() - found)]
    faults += [f"the setting {name} has no description" for name, meaning in described.items() if not meaning]
    rows = [(markdown.code(name), default, meaning) for name, default, meaning in platform]
    parts = [HEAD, markdown.table(("variable", "default", "meaning"), rows)]
    for title, group in GROUPS.items():
        rows_of_group = [(markdown.code(name), meaning) for name, meaning in group.items()]
        parts.append(f"\n## {title}\n\n{markdown.table(('variable', 'meaning'), rows_of_group)}")
    return "".join(parts), faults


def own(settings: Path) -> list[tuple[str, str, str]]:
    """The rows of the table at the top of the platform's settings: name, default, meaning."""
    said = ast.get_docstring(ast.parse(settings.read_text())) or ""
    return [
        (found[1], found[2].strip(), found[3].strip())
        for found in re.finditer(r"^\| ([A-Z_]+) \|(.*?)\|(.*)\|$", said, re.MULTILINE)
    ]


def read(checkout: Path) -> set[str]:
    """Every variable that the code reads: by the functions that read one, and those of ours wherever they stand."""
    found: set[str] = set()
    for file in (each for pattern in WRITTEN for each in checkout.glob(pattern) if each.is_file()):
        if file.parent.name == "reference":
            continue  # this page's own words
        text = file.read_text()
        found |= set(re.findall(r"\bLYCEUM_[A-Z_]*[A-Z]\b", text))
        if file.suffix == ".py":
            found |= set(_read_in(ast.parse(text)))
    return found - AMBIENT


def _read_in(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of, name = ast.unparse(node.func.value), node.func.attr
            if (of == "os.environ" and name == "get") or (of == "environment" and name in READERS):
                yield from _constant(node.args[0])
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ" and not _is_set(node):
            yield from _constant(node.slice)


def _is_set(node: ast.Subscript) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _constant(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
