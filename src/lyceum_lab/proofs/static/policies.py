"""Who may do what, as far as a policy's text tells: no stranger, nothing on everything, every role bounded."""

from __future__ import annotations

from collections.abc import Iterator

from lyceum_lab.proofs.static.excuses import ON_EVERYTHING
from lyceum_lab.proofs.static.exposure import Verdict
from lyceum_lab.proofs.static.resources import POLICIES, Pointer, Posture, Statement

# Conditions that say who asks. Any other leaves the door open to strangers who meet it.
WHO = {
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourceaccount", "aws:sourcearn",
    "elasticfilesystem:accessedviamounttarget", "kms:calleraccount",
}  # fmt: skip


def no_stranger_is_let_in(posture: Posture) -> Iterator[Verdict]:
    """No statement allows everybody, unless a condition says who that is; none allows all but some."""
    for resource in posture.resources:
        for name in POLICIES:
            value = resource["values"].get(name)
            if isinstance(value, Pointer) and (direct := [one for one in value.to if ".aws_iam_policy_" not in one]):
                yield resource["address"], f"its {name} is made of {', '.join(direct)}, which no plan shows"
    for statement in posture.statements():
        if statement.principals or statement.all_but_principals:
            yield statement.address, _lets_in(statement)


def _lets_in(statement: Statement) -> str:
    if statement.effect != "Allow":
        return ""
    if statement.all_but_principals:
        return "allows everybody but some"
    if not any(name == "*" for _, name in statement.principals):
        return ""
    # "Not" lets in all but one, "IfExists" whoever says nothing.
    named = any(
        variable.lower() in WHO and "Not" not in test and "IfExists" not in test and "*" not in values
        for test, variable, values in statement.conditions
    )
    return "" if named else "allows everybody, and no condition says who"


def nothing_on_everything(posture: Posture) -> Iterator[Verdict]:
    """What is granted on every resource is a reasoned list of actions; a whole service never is.

    A condition narrows a statement to resources by their tags, and frees it from the list, not from the second rule.
    """
    for statement in posture.statements():
        # With a principal it is the policy of one resource, in which "*" means that one.
        if statement.effect != "Allow" or statement.principals or "*" not in statement.resources:
            continue
        whole = [one for one in statement.actions if one.split(":")[-1] == "*" and one not in ON_EVERYTHING]
        listed = ON_EVERYTHING if not statement.conditions else statement.actions
        strange = [one for one in statement.actions if one not in listed]
        wrong = f"allows {', '.join(whole)} on everything" if whole else ""
        if strange and not wrong:
            wrong = f"allows {', '.join(strange)} on everything, without a reason"
        yield statement.address, wrong


def every_role_is_bounded(posture: Posture) -> Iterator[Verdict]:
    """Every role carries the boundary."""
    for role in posture.of("aws_iam_role"):
        boundary = str(role["values"].get("permissions_boundary") or "")
        yield role["address"], "" if boundary.endswith(":policy/lyceum-boundary") else "has no boundary"
