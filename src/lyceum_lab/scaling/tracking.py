"""What Auto Scaling decides, minute by minute, for a group with target tracking policies.

The rules, and where AWS states them:

- A policy has two alarms on one-minute data: above its target for 3 points of 3 asks for more servers, below 90 % of
  its target for 15 points of 15 allows fewer. AWS makes and shows these alarms and documents neither the points nor
  the 90 %; they are what the alarms of groups have shown for years.
- The new capacity is proportional: capacity times value over target, rounded up, so that what is left never exceeds
  the target. It scales out when any policy asks, in only when all whose scale-in is on are ready.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
- With insufficient data it does not scale in: no data is not low utilisation. (Same page.)
- While a server warms up there is no scale-in, the server counts as capacity when more is asked for, and it is left
  out of the predefined metrics.
  https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html

AWS does not say which value it works the new capacity out of. Here it is the latest one, which makes a group flap more
than any average would.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lyceum_lab.scaling.metric_math import Point
from lyceum_lab.scaling.policies import Metric, Policy

HIGH_POINTS = 3
LOW_POINTS = 15
LOW_SHARE = 0.9


@dataclass(frozen=True)
class Group:
    """A group as it is now: what it wants, how many servers are warm, and how many launch or warm up."""

    desired: int
    warm: int
    warming: int
    least: int
    most: int


class Tracker:
    """Keeps the recent values of each policy and decides from them. One `decide` a minute."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.policies = list(policies)
        self._values = {policy.name: deque[Point](maxlen=LOW_POINTS) for policy in self.policies}

    def metrics(self) -> set[Metric]:
        """What has to be measured each minute."""
        return {metric for policy in self.policies for metric in policy.metrics}

    def decide(self, measured: Mapping[Metric, Point], group: Group) -> int:
        """The capacity the group should want after this minute."""
        for policy in self.policies:
            self._values[policy.name].append(policy.value(measured))
        asked = [self._capacity(policy, group.warm) for policy in self.policies if self._high(policy)]
        if asked and max(asked) > group.desired:
            return min(max(asked), group.most)
        shrinking = [policy for policy in self.policies if policy.scales_in]
        if not asked and not group.warming and shrinking and all(self._low(policy) for policy in shrinking):
            enough = max(self._capacity(policy, group.desired) for policy in shrinking)
            return max(min(enough, group.desired), group.least)
        return group.desired

    def _capacity(self, policy: Policy, servers: int) -> int:
        latest = self._values[policy.name][-1]
        # Asked for an alarm that rings only, and none rings on a missing point.
        return math.ceil(round(servers * (latest or 0.0) / policy.target, 9))

    def _high(self, policy: Policy) -> bool:
        recent = list(self._values[policy.name])[-HIGH_POINTS:]
        return len(recent) == HIGH_POINTS and all(value is not None and value > policy.target for value in recent)

    def _low(self, policy: Policy) -> bool:
        recent = self._values[policy.name]
        threshold = LOW_SHARE * policy.target
        return len(recent) == LOW_POINTS and all(value is not None and value < threshold for value in recent)
