"""What publishes which metric, under which dimensions: from AWS's documents, and for our own namespace from the agent's
configuration, the canary and the metric filters that are deployed. Written by hand, independently of infra/.

An alarm on a name or a combination of dimensions that nobody publishes never rings, and says so to nobody.

- AWS/ApplicationELB: "CloudWatch metrics for your Application Load Balancer"
- AWS/AutoScaling: "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling"
- AWS/EC2: "List the available CloudWatch metrics for your instances" (CPU credits; by group: "Dimensions for …")
- AWS/RDS: "Amazon CloudWatch metrics for Amazon RDS"
- AWS/DynamoDB: "DynamoDB metrics and dimensions"
- AWS/EFS: "CloudWatch metrics for Amazon EFS"
- AWS/Lambda: "Types of metrics for Lambda functions"
- AWS/Backup: "AWS Backup metrics with CloudWatch"
- AWS/CertificateManager: "Supported CloudWatch metrics" of ACM
"""

from __future__ import annotations

BALANCER = ("LoadBalancer",)
TARGETS = ("LoadBalancer", "TargetGroup")
ZONED = ("AvailabilityZone", "LoadBalancer")
ZONED_TARGETS = ("AvailabilityZone", "LoadBalancer", "TargetGroup")
GROUP = ("AutoScalingGroupName",)
OF_ALL = (BALANCER, TARGETS, ZONED, ZONED_TARGETS)

# (namespace, metric) → the combinations of dimensions under which it is published, each in the order of the alphabet.
BY_AWS: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"): (BALANCER, ZONED),
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): OF_ALL,
    ("AWS/ApplicationELB", "RequestCount"): OF_ALL,
    ("AWS/ApplicationELB", "TargetResponseTime"): OF_ALL,
    # Health is of a target group: of a load balancer as a whole there is none.
    ("AWS/ApplicationELB", "HealthyHostCount"): (TARGETS, ZONED_TARGETS),
    ("AWS/ApplicationELB", "UnHealthyHostCount"): (TARGETS, ZONED_TARGETS),
    ("AWS/AutoScaling", "GroupInServiceInstances"): (GROUP,),
    ("AWS/EC2", "CPUSurplusCreditBalance"): (("InstanceId",), GROUP),
    ("AWS/RDS", "CPUUtilization"): (("DBInstanceIdentifier",),),
    ("AWS/RDS", "DatabaseConnections"): (("DBInstanceIdentifier",),),
    ("AWS/RDS", "FreeStorageSpace"): (("DBInstanceIdentifier",),),
    ("AWS/RDS", "FreeableMemory"): (("DBInstanceIdentifier",),),
    ("AWS/DynamoDB", "ReadThrottleEvents"): (("TableName",), ("GlobalSecondaryIndexName", "TableName")),
    ("AWS/DynamoDB", "WriteThrottleEvents"): (("TableName",), ("GlobalSecondaryIndexName", "TableName")),
    # Never of a table as a whole.
    ("AWS/DynamoDB", "SystemErrors"): (("Operation", "TableName"),),
    ("AWS/EFS", "PercentIOLimit"): (("FileSystemId",),),
    ("AWS/Lambda", "Errors"): (("FunctionName",), ("FunctionName", "Resource")),
    ("AWS/Lambda", "Invocations"): (("FunctionName",), ("FunctionName", "Resource")),
    ("AWS/Backup", "NumberOfBackupJobsFailed"): (("BackupVaultName",), ("BackupVaultName", "ResourceType")),
    ("AWS/Backup", "NumberOfBackupJobsAborted"): (("BackupVaultName",), ("BackupVaultName", "ResourceType")),
    ("AWS/Backup", "NumberOfBackupJobsExpired"): (("BackupVaultName",), ("BackupVaultName", "ResourceType")),
    ("AWS/CertificateManager", "DaysToExpiry"): (("CertificateArn",),),
}
# What the agent on a server publishes, added up by its group alone (instance/cloudwatch-agent.json).
BY_THE_AGENT: dict[str, tuple[tuple[str, ...], ...]] = {
    "mem_used_percent": (GROUP,),
    "disk_used_percent": (GROUP,),
}
# What the function that asks for a page publishes (functions/canary).
BY_THE_CANARY: dict[str, tuple[tuple[str, ...], ...]] = {"pages-answered": ((),)}
# What a metric filter counts has no dimension.
BY_FILTERS: tuple[tuple[str, ...], ...] = ((),)


def combinations(namespace: str, name: str, counted: set[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Under which dimensions a metric is published; none, when nobody publishes it. `counted`: by deployed filters."""
    if (namespace, name) in counted:
        return BY_FILTERS
    if namespace.startswith("AWS/"):
        return BY_AWS.get((namespace, name), ())
    ours = BY_THE_AGENT | BY_THE_CANARY
    return ours.get(name, ()) if namespace in {"Lyceum/dev", "Lyceum/prod"} else ()
