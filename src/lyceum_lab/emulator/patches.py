"""Faults of moto that reject or misroute a request before an answer exists, so that only a change inside it helps.

Each patch names the fault. All are applied once, when the process starts.
"""

from __future__ import annotations

from typing import Any

from lyceum_lab.emulator import groups


def apply(*, enforce: bool = False) -> None:
    """Mend moto in this process; with `enforce`, the emulator's own decisions are the only ones."""
    if enforce:
        no_decisions_of_motos()
    else:
        tls_only_bucket_policies()
    deletion_of_delete_markers()
    load_balancers_by_name()
    groups.stand_back()


def no_decisions_of_motos() -> None:
    """Moto holds every request for an object against its bucket's policy, whoever it names as principal.

    Here permissions.py has decided before.
    """
    from moto.iam import access_control

    def is_action_permitted(*_: Any, **__: Any) -> Any:
        return access_control.PermissionResult.NEUTRAL

    setattr(access_control.IAMPolicyStatement, "is_action_permitted", is_action_permitted)  # noqa: B010 - as below


def tls_only_bucket_policies() -> None:
    """Moto reads no conditions: "deny unless TLS" then denies every request for an object.

    Ours arrive over plain HTTP on the loopback, standing for the TLS that every caller uses on AWS; a conditional
    deny therefore decides nothing here, and an unconditional one keeps its force.
    """
    from moto.iam import access_control

    original = access_control.IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, *arguments: Any, **options: Any) -> Any:
        statement = self._statement
        if statement.get("Effect") == "Deny" and statement.get("Condition"):
            return access_control.PermissionResult.NEUTRAL
        return original(self, *arguments, **options)

    setattr(access_control.IAMPolicyStatement, "is_action_permitted", is_action_permitted)  # noqa: B010 - mypy rightly forbids the plain form


def deletion_of_delete_markers() -> None:
    """Moto breaks when the mark of a deletion is itself deleted: so does every destroy of a bucket that has one."""
    from moto.s3.models import FakeDeleteMarker

    def dispose(self: Any, garbage: bool = False) -> None:
        """A mark holds nothing that would have to be given back."""

    setattr(FakeDeleteMarker, "dispose", dispose)  # noqa: B010 - as above


def load_balancers_by_name() -> None:
    """Moto makes another load balancer of the same name at each call; AWS answers a repeated one with the first.

    A client that repeats a call whose answer was lost would leave one that nobody knows of.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    from moto.elbv2 import models
    from moto.elbv2.exceptions import DuplicateLoadBalancerName

    original, public = models.ELBv2Backend.create_load_balancer, "internet-facing"

    def create_load_balancer(self: Any, name: str, security_groups: list[str], **told: Any) -> Any:
        there = next((one for one in self.load_balancers.values() if one.name == name), None)
        if there is None:
            return original(self, name=name, security_groups=security_groups, **told)
        wanted = (set(security_groups), set(told["subnet_ids"]), told.get("scheme") or public)
        if wanted != (set(there.security_groups), {subnet.id for subnet in there.subnets}, there.scheme or public):
            raise DuplicateLoadBalancerName
        return there

    setattr(models.ELBv2Backend, "create_load_balancer", create_load_balancer)  # noqa: B010 - as above
