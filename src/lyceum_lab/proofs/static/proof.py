"""`./lyceum prove static`: what can be told from the code and its plans, before anything is applied.

The plans of dev, prod and bootstrap are made once, beside checkov, and every check reads them.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lyceum_lab import paths
from lyceum_lab.proofs.cloud import Bare, bare
from lyceum_lab.proofs.report import Broken, Report, listed, require
from lyceum_lab.proofs.static import encryption, exposure, keeping, plans, policies, resources, scanner
from lyceum_lab.proofs.static.excuses import EXCUSES, ON_EVERYTHING
from lyceum_lab.proofs.static.exposure import Verdict
from lyceum_lab.proofs.static.resources import Posture
from lyceum_lab.rehearsal import infrastructure
from lyceum_ops.console import out
from lyceum_ops.processes import die_with_parent

PROMISES = {
    "formatted": "the code of infra/ is formatted",
    "valid": "dev, prod and bootstrap are valid code, and can be planned",
    "checkov": "what checkov has against the code and its plans is answered beside the resource, and nothing else is",
    "public": "nothing is public but the load balancer",
    "metadata": "a server's role is had by the server only: metadata by token, from no further than itself",
    "tls": "nothing goes unencrypted: listeners, database, mail, buckets, topics, files",
    "encrypted": "whatever can be encrypted is, by a key of ours",
    "renewed": "every key is renewed each year, and is a month in going",
    "tagged": "whatever takes tags says whose it is",
    "retention": "every log group has an end that AWS knows",
    "recoverable": "all student data can be had back: any second of the last days, four weekly copies, versions",
    "protected": "in production nothing that holds data goes by mistake",
    "strangers": "no policy lets everybody in",
    "everything": "no policy grants a service on everything, and each action on everything has its reason",
    "bounded": "every role carries the boundary",
    "pillars": "each pillar of Well-Architected has its controls, and each control a test that is there",
}
CHECKS: dict[str, Callable[[Posture], Iterator[Verdict]]] = {
    "public": exposure.only_the_load_balancer_is_public,
    "metadata": exposure.metadata_needs_a_token,
    "tls": exposure.tls_everywhere,
    "encrypted": encryption.all_is_encrypted,
    "renewed": encryption.keys_are_renewed,
    "tagged": keeping.all_is_tagged,
    "retention": keeping.every_log_ends,
    "recoverable": keeping.all_can_be_had_back,
    "protected": keeping.production_is_protected,
    "strangers": policies.no_stranger_is_let_in,
    "everything": policies.nothing_on_everything,
    "bounded": policies.every_role_is_bounded,
}


def prove() -> int:
    """Run the proof. Returns the exit code. Raises LyceumError when a tool is missing or a plan cannot be made."""
    report = Report(PROMISES)
    began = time.monotonic()
    checkov = scanner.install(paths.TOOLS)
    # Linux ends a child with the thread that started it: the pool outlives all of them.
    with ThreadPoolExecutor(max_workers=3) as pool, bare("static") as cloud:
        copy = cloud.folder / "checkov" / "infra"
        copy.parent.mkdir()
        scanner.copy_without_skips(paths.CHECKOUT / "infra", copy)
        infrastructure.prepare_account(infrastructure.Session.of(cloud.tool.env))
        begun = plans.begin(cloud, pool)
        code = pool.submit(scanner.scan_code, checkov, copy)
        report.try_("formatted", lambda: _formatted(cloud))
        shown: list[plans.Shown] = []
        report.try_("valid", lambda: _made(begun, shown))
        # Development is the same code with less of everything; checkov would want its cheaper values excused.
        roots = {one.file: "platform" if one.name == "prod" else one.name for one in shown if one.name != "dev"}
        planned = scanner.scan_plans(checkov, roots, paths.CHECKOUT / "infra")
        report.try_("checkov", lambda: answered(code.result(), planned, paths.CHECKOUT / "infra"))
        postures = [resources.read(one.name, one.plan) for one in shown]
        for promise, check in CHECKS.items():
            report.try_(promise, lambda promise=promise, check=check: hold(promise, check, postures))  # type: ignore[misc]
        report.try_("pillars", _pillars)
    out.print(f"All of it took {time.monotonic() - began:.0f} s.")
    return report.close()


def _formatted(cloud: Bare) -> str:
    done = subprocess.run(
        [str(cloud.tool.binary), "fmt", "-check", "-list=true", "-recursive", str(paths.CHECKOUT / "infra")],
        env=cloud.tool.environment(), capture_output=True, text=True, check=False, preexec_fn=die_with_parent(),
    )  # fmt: skip
    require(done.returncode == 0, f"terraform fmt would change {listed((done.stdout or done.stderr).split())}")
    return f"{len(list((paths.CHECKOUT / 'infra').rglob('*.tf')))} files"


def _made(begun: dict[str, Future[plans.Shown]], shown: list[plans.Shown]) -> str:
    shown.extend(future.result() for future in begun.values())
    return ", ".join(f"{one.name}: {len(one.plan['resource_changes'])} resources and documents" for one in shown)


def answered(code: scanner.Scan, planned: scanner.Scan, infra: Path) -> str:
    """Raise `Broken` for what is not skipped, and for skips that nothing needs."""
    known = scanner.blocks(infra)
    verdicts = list(scanner.judge([*code.findings, *planned.findings], known))
    wrong = [f"{address}: {what}" for address, what in verdicts if what]
    require(not wrong, listed(wrong, 30))
    reasons = [reason for block in known for reason in block.skips.values()]
    return (
        f"{code.passed} passed on the code, {planned.passed} on the plans; {len(verdicts)} findings are skipped by "
        f"{len(reasons)} comments in the code, for {len(set(reasons))} reasons"
    )


def hold(promise: str, check: Callable[[Posture], Iterable[Verdict]], postures: Iterable[Posture]) -> str:
    """Run a check on every plan. Raises `Broken` with each address that fails, or when there was nothing to look at."""
    looked, wrong, excused = 0, [], []
    excuses = [excuse for excuse in EXCUSES if excuse.promise == promise]
    for posture in postures:
        for address, what in check(posture):
            looked += 1
            if not what:
                continue
            found = [excuse for excuse in excuses if excuse.covers(promise, posture.name, address)]
            excused += found
            if not found:
                wrong.append(f"{posture.name}: {address} {what}")
    if promise == "everything":
        granted = {action for posture in postures for one in posture.statements() for action in one.actions}
        wrong += [f"the reason for {action} is needed by nobody" for action in ON_EVERYTHING if action not in granted]
    wrong += [f"the excuse of {excuse.address} is needed by nobody" for excuse in excuses if excuse not in excused]
    require(not wrong, listed(wrong, 20))
    if not looked:
        raise Broken("there was nothing to look at")
    said = "".join(f"; but {excuse.address}: {excuse.why}" for excuse in dict.fromkeys(excused))
    return f"{looked} looked at{said}"


def _pillars() -> str:
    from lyceum_lab.documents import well_architected

    return well_architected.current()
