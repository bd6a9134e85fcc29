"""Where learners are in a course's lessons. The platform deletes none of it with a course; whether so, is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lyceum_ops import aws

AT_ONCE = 8  # partitions that are asked for: fewer than a client of boto3 has connections


@dataclass(frozen=True)
class Kept:
    """How many learners have progress in the course, and in how many lessons together."""

    learners: int
    lessons: int


@dataclass
class Items:
    """The table of DynamoDB."""

    dynamodb: Any
    table: str

    def of(self, course: int, learners: list[int]) -> Kept:
        """Of these learners, by their and the course's number."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            counts = list(pool.map(lambda one: self._count(f"USER#{one}#COURSE#{course}"), learners))
        return Kept(sum(1 for count in counts if count), sum(counts))

    def _count(self, partition: str) -> int:
        count = 0
        with aws.asking("dynamodb"):
            for page in self.dynamodb.get_paginator("query").paginate(
                TableName=self.table, Select="COUNT", ConsistentRead=True, KeyConditionExpression="pk = :who",
                ExpressionAttributeValues={":who": {"S": partition}},
            ):  # fmt: skip
                count += page["Count"]
        return count
