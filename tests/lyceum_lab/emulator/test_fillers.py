"""What moto forgets is remembered: write it through the API, read it back through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.lyceum_lab.emulator.conftest import Emulator


@pytest.fixture(scope="module")
def vpc(emulator: Emulator) -> str:
    return str(emulator.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])


def test_a_database_shows_its_insights_and_keeps_them_when_it_is_changed(emulator: Emulator) -> None:
    rds = emulator.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="insights",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        EngineVersion="17",
        AllocatedStorage=20,
        MasterUsername="lyceum_admin",
        ManageMasterUserPassword=True,
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=7,
        DatabaseInsightsMode="standard",
        EngineLifecycleSupport="open-source-rds-extended-support-disabled",
    )

    def shown() -> dict[str, Any]:
        return dict(rds.describe_db_instances(DBInstanceIdentifier="insights")["DBInstances"][0])

    database = shown()
    assert database["DBInstanceStatus"] == "available"
    assert database["PerformanceInsightsEnabled"] is True
    assert database["PerformanceInsightsRetentionPeriod"] == 7
    assert database["DatabaseInsightsMode"] == "standard"
    assert database["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert database["MasterUserSecret"]["SecretArn"].startswith("arn:aws:secretsmanager:us-east-1:123456789012:")

    rds.modify_db_instance(DBInstanceIdentifier="insights", PerformanceInsightsRetentionPeriod=31)
    changed = shown()
    assert changed["PerformanceInsightsRetentionPeriod"] == 31
    assert changed["PerformanceInsightsEnabled"] is True


def test_a_parameter_that_was_set_says_so(emulator: Emulator) -> None:
    rds = emulator.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="tls", DBParameterGroupFamily="postgres17", Description="d")
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "pending-reboot"}
    rds.modify_db_parameter_group(DBParameterGroupName="tls", Parameters=[parameter])
    (found,) = rds.describe_db_parameters(DBParameterGroupName="tls", Source="user")["Parameters"]
    assert (found["ParameterName"], found["ParameterValue"], found["Source"]) == ("rds.force_ssl", "1", "user")


def test_a_rule_between_groups_keeps_its_description(emulator: Emulator, vpc: str) -> None:
    ec2 = emulator.client("ec2")
    one, other = (ec2.create_security_group(GroupName=n, Description=n, VpcId=vpc)["GroupId"] for n in ("one", "other"))
    pair = {"GroupId": other, "Description": "student data"}
    permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}
    made = ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[permission])["SecurityGroupRules"][0]

    def described() -> str:
        rules = ec2.describe_security_group_rules(SecurityGroupRuleIds=[made["SecurityGroupRuleId"]])
        return str(rules["SecurityGroupRules"][0].get("Description"))

    assert described() == "student data"
    update = {
        "SecurityGroupRuleId": made["SecurityGroupRuleId"],
        "SecurityGroupRule": {
            "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "ReferencedGroupId": other, "Description": "backups",
        },
    }  # fmt: skip
    ec2.modify_security_group_rules(GroupId=one, SecurityGroupRules=[update])
    assert described() == "backups"


def test_a_file_systems_policy_can_be_taken_back(emulator: Emulator) -> None:
    efs = emulator.client("efs")
    made = efs.create_file_system(CreationToken="shared")["FileSystemId"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    efs.put_file_system_policy(FileSystemId=made, Policy=policy)
    assert efs.describe_file_system_policy(FileSystemId=made)["Policy"] == policy
    efs.delete_file_system_policy(FileSystemId=made)
    with pytest.raises(ClientError) as gone:
        efs.describe_file_system_policy(FileSystemId=made)
    assert gone.value.response["Error"]["Code"] == "PolicyNotFound"


def test_how_often_a_filler_was_used_is_counted(emulator: Emulator) -> None:
    def used() -> int:
        entries = emulator.page("gaps")["fillers"]
        return int(next(e["used"] for e in entries if e["operations"] == ["DeleteFileSystemPolicy"]))

    before, stubbed = used(), emulator.page("gaps")["stubbed"]
    efs = emulator.client("efs")
    made = efs.create_file_system(CreationToken="counted")["FileSystemId"]
    efs.delete_file_system_policy(FileSystemId=made)
    assert used() == before + 1
    assert emulator.page("gaps")["stubbed"] == stubbed + 1


def test_a_group_shows_how_it_replaces_its_servers(emulator: Emulator) -> None:
    ec2, autoscaling = emulator.client("ec2"), emulator.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    template = ec2.create_launch_template(LaunchTemplateName="replaced", LaunchTemplateData={"ImageId": image})
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="replaced", MinSize=0, MaxSize=2, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
        DefaultInstanceWarmup=180, MaxInstanceLifetime=86400,
        InstanceMaintenancePolicy={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200},
    )  # fmt: skip
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="replaced", MaxInstanceLifetime=172800)
    (group,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["replaced"])["AutoScalingGroups"]
    assert (group["DefaultInstanceWarmup"], group["MaxInstanceLifetime"]) == (180, 172800)
    assert group["InstanceMaintenancePolicy"] == {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}


def test_a_version_of_a_template_begins_from_its_source_and_can_be_launched(emulator: Emulator) -> None:
    ec2, autoscaling = emulator.client("ec2"), emulator.client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]

    def release(name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": "instance", "Tags": [{"Key": "Release", "Value": name}]}]

    template = ec2.create_launch_template(
        LaunchTemplateName="sourced",
        LaunchTemplateData={"ImageId": image, "UserData": "Ym9vdA==", "TagSpecifications": release("none")},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "Project", "Value": "lyceum"}]}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    made = ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"TagSpecifications": release("one")}
    )["LaunchTemplateVersion"]["LaunchTemplateData"]
    assert (made["ImageId"], made["UserData"], made["TagSpecifications"]) == (image, "Ym9vdA==", release("one"))
    versions = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    assert [v["LaunchTemplateData"]["TagSpecifications"] for v in versions] == [release("none"), release("one")]

    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="sourced", MinSize=1, MaxSize=2, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": template, "Version": "2"},
    )  # fmt: skip
    (group,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["sourced"])["AutoScalingGroups"]
    launched = ec2.describe_instances(InstanceIds=[group["Instances"][0]["InstanceId"]])["Reservations"][0]["Instances"]
    assert {"Key": "Release", "Value": "one"} in launched[0]["Tags"]


def test_a_metric_filter_that_is_put_again_replaces_the_first(emulator: Emulator) -> None:
    logs = emulator.client("logs")
    logs.create_log_group(logGroupName="/watched")
    for pattern in ("one", "one", "two"):
        logs.put_metric_filter(
            logGroupName="/watched",
            filterName="watch",
            filterPattern=pattern,
            metricTransformations=[{"metricName": "n", "metricNamespace": "N", "metricValue": "1"}],
        )
    found = logs.describe_metric_filters(logGroupName="/watched")["metricFilters"]
    assert [each["filterPattern"] for each in found] == ["two"]


def test_a_user_has_no_credentials_of_single_services(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="leaving")
    assert iam.list_service_specific_credentials(UserName="leaving")["ServiceSpecificCredentials"] == []


def test_a_trail_can_be_deleted_by_its_arn(emulator: Emulator) -> None:
    emulator.client("s3").create_bucket(Bucket="trail-files")
    cloudtrail = emulator.client("cloudtrail")
    arn = cloudtrail.create_trail(Name="short-lived", S3BucketName="trail-files")["TrailARN"]
    cloudtrail.delete_trail(Name=arn)
    assert cloudtrail.describe_trails()["trailList"] == []


def test_an_instance_without_a_public_address_shows_its_groups(emulator: Emulator, vpc: str) -> None:
    ec2 = emulator.client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="bastion", Description="d", VpcId=vpc)["GroupId"]
    interface = {
        "DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": False,
    }  # fmt: skip
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, NetworkInterfaces=[interface])
    identity = made["Instances"][0]["InstanceId"]

    def shown() -> dict[str, Any]:
        return dict(ec2.describe_instances(InstanceIds=[identity])["Reservations"][0]["Instances"][0])

    assert [each["GroupId"] for each in shown()["SecurityGroups"]] == [group]
    assert "Association" not in shown()["NetworkInterfaces"][0]
    other = ec2.create_security_group(GroupName="another", Description="d", VpcId=vpc)["GroupId"]
    first = shown()["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=first, Groups=[other])
    assert [each["GroupId"] for each in shown()["SecurityGroups"]] == [other]


def test_a_network_acls_rule_can_be_deleted_once(emulator: Emulator, vpc: str) -> None:
    ec2 = emulator.client("ec2")
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    rule = {"NetworkAclId": acl, "RuleNumber": 100, "Egress": True}
    ec2.create_network_acl_entry(**rule, Protocol="6", RuleAction="allow", CidrBlock="10.9.0.0/16")
    ec2.delete_network_acl_entry(**rule)
    with pytest.raises(ClientError) as gone:
        ec2.delete_network_acl_entry(**rule)
    assert gone.value.response["Error"]["Code"] == "InvalidNetworkAclEntry.NotFound"


def test_two_databases_are_told_apart(emulator: Emulator) -> None:
    rds = emulator.client("rds")
    made = [
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.micro", Engine="postgres", AllocatedStorage=20,
            MasterUsername="lyceum_admin", ManageMasterUserPassword=True,
        )["DBInstance"]["DbiResourceId"]
        for name in ("one-of-two", "two-of-two")
    ]  # fmt: skip
    for name, resource in zip(("one-of-two", "two-of-two"), made, strict=True):
        found = rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": [resource]}])["DBInstances"]
        assert [database["DBInstanceIdentifier"] for database in found] == [name]
