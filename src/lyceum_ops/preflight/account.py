"""Who asks, whether bootstrap was applied, the second factor, the budget, and the tools on this machine."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path

from lyceum_ops import terraform
from lyceum_ops.checks import Account, Check, Found, fail, ok, warn
from lyceum_ops.errors import MissingTool
from lyceum_ops.roots import find_state

USER = ROLE = "lyceum-deployer"
REGISTRY = "https://registry.terraform.io/.well-known/terraform.json"


def credentials(asking: Account) -> Found:
    who = f"account {asking.who.account}, as {asking.who.arn}"
    if asking.who.is_root:
        return warn(who, "This is the account's root: use it once, to make an administrator, then lock it away.")
    return ok(who)


def bootstrapped(asking: Account) -> Found:
    kept = find_state(asking.session, asking.who.account, "bootstrap")
    if not kept.region:
        return fail(f"there is no bucket {kept.bucket}", "As the account's administrator: ./lyceum bootstrap.")
    if kept.region != asking.region:
        return fail(
            f"{kept.bucket} lies in {kept.region}, and {asking.environment} is to lie in {asking.region}",
            "Everything of an account lies in one region: change one of the two.",
        )
    if not kept.there:
        return fail(
            f"{kept.bucket} holds no state of bootstrap", "Run ./lyceum bootstrap again where it was cut short."
        )
    return ok(f"its state lies in {kept.bucket}, {kept.region}")


def deployer(asking: Account) -> Found:
    if asking.ask("iam", "get_role", RoleName=ROLE) is None:
        return fail(f"there is no role {ROLE}", "As the account's administrator: ./lyceum bootstrap.")
    return ok(f"the role {ROLE} is there")


def second_factor(asking: Account) -> Found:
    found = asking.ask("iam", "list_mfa_devices", UserName=USER)
    if found is None:
        return fail(f"there is no user {USER}", "As the account's administrator: ./lyceum bootstrap.")
    if not found["MFADevices"]:
        return fail(
            f"{USER} has no second factor, and cannot become the deployer without one",
            f"aws iam create-virtual-mfa-device --virtual-mfa-device-name {USER}, then aws iam enable-mfa-device.",
        )
    return ok(f"{USER} has {len(found['MFADevices'])}")


def budget(asking: Account) -> Found:
    found = asking.all("budgets", "describe_budgets", "Budgets", AccountId=asking.who.account)
    if not found:
        return warn("no budget watches the cost", "Make one; a small environment costs about $100 a month.")
    return ok(", ".join(item["BudgetName"] for item in found))


def binary(asking: Account) -> Found:
    wanted = ".".join(map(str, terraform.MINIMUM[:2]))
    kept = asking.here.tools / f"terraform-{terraform.PINNED}" / "terraform"
    try:
        on_path = shutil.which("terraform")
        if on_path and (have := terraform.version_of(Path(on_path))) >= terraform.MINIMUM:
            return ok(f"{on_path}, {'.'.join(map(str, have))}")
        if kept.exists():
            terraform.version_of(kept)
            return ok(str(kept))
    except MissingTool as error:
        return fail(error.message, f"Install Terraform {wanted} or newer.")
    return warn(f"none of {wanted} or newer is here", f"{terraform.PINNED} is fetched from its publisher when needed.")


def provider(_: Account) -> Found:
    if mirror := terraform.provider_mirror():
        return ok(f"from the mirror {mirror}")
    try:
        with urllib.request.urlopen(REGISTRY, timeout=5):
            return ok("from the registry, which answers")
    except (urllib.error.URLError, OSError) as error:
        return fail(f"there is no local mirror, and the registry does not answer ({error})", "Is the network up?")


CHECKS: tuple[Check, ...] = (
    Check("credentials", "sts:GetCallerIdentity", credentials),
    Check("bootstrap", "s3:ListBucket, s3:GetObject", bootstrapped),
    Check("deployer role", "iam:GetRole", deployer),
    Check("second factor", "iam:ListMFADevices", second_factor),
    Check("budget", "budgets:ViewBudget", budget),
)
LOCAL = (
    Check("Terraform", "this machine", binary),
    Check("AWS provider", "this machine, or the registry", provider),
)
CHECKS += LOCAL
