"""A release and its bad days: what production is in afterwards, and that the same command finishes or undoes it."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.lyceum_ops.releases.conftest import ACCOUNT, ALARM, BUCKET, ME, Dev, Said

from lyceum_ops.errors import Interrupted, LyceumError, NoCredentials, Refused, RolledBack, Usage
from lyceum_ops.releases.history import history
from lyceum_ops.releases.release import WARM_UP_SECONDS, Wanted, release, rollback

OTHER = f"arn:aws:sts::{ACCOUNT}:assumed-role/lyceum-pipeline-release/build"


def live_history(dev: Dev) -> list[tuple[str, str, str]]:
    """Oldest first: what, which release, how it ended."""
    entries = history(dev.production())["entries"]
    return [(one["kind"], one["release"], one["outcome"]) for one in reversed(entries)]


def untouched(dev: Dev, live: str = "none") -> None:
    assert dev.live() == live
    assert not dev.refreshes.started or dev.refreshes.all[0]["Status"] not in {"Pending", "InProgress"}
    assert not dev.locked()


def test_a_release_becomes_live(dev: Dev, capsys: pytest.CaptureFixture[str]) -> None:
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0", watch=True))
    assert dev.live() == "1.0"
    assert {one["LaunchTemplate"]["Version"] for one in dev.group()["Instances"]} == {"2"}
    said = capsys.readouterr().out
    assert "1.0 is live in dev: version 2 on 1 server." in said
    assert "gone" in said, "--watch shows the server that went"
    assert live_history(dev) == [("release", "1.0", "live")]
    assert not dev.locked()


def test_it_is_asked_for_as_it_must_be(dev: Dev) -> None:
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0", bake_seconds=90))
    [sent] = dev.refreshes.started
    assert sent["Preferences.MinHealthyPercentage"] == 100
    assert sent["Preferences.MaxHealthyPercentage"] == 200
    assert sent["Preferences.SkipMatching"] == "true"
    assert sent["Preferences.AutoRollback"] == "true"
    assert sent["Preferences.BakeTime"] == 90
    assert sent["Preferences.InstanceWarmup"] == WARM_UP_SECONDS, "the old server stays until the new one is judged"
    assert sent["Preferences.AlarmSpecification.Alarms.member.1"] == ALARM
    assert sent["DesiredConfiguration.LaunchTemplate.Version"] == "2", "a number: AWS goes back to nothing else"
    data = dev.newest()
    assert data["InstanceType"] == "t2.micro", "what Terraform said of a server stays"
    kinds = {
        one["ResourceType"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in data["TagSpecifications"]
    }
    assert kinds == {"instance": {"Project": "lyceum", "Release": "1.0"}, "volume": {"Project": "lyceum"}}


def test_the_same_again_does_nothing(dev: Dev, capsys: pytest.CaptureFixture[str]) -> None:
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0"))
    release(dev.production(), Wanted("1.0"))
    assert "1.0 is live already" in capsys.readouterr().out
    assert len(dev.refreshes.started) == 1
    assert list(dev.versions()) == [1, 2]


def test_what_terraform_changed_comes_with_the_next_release_of_the_same(dev: Dev) -> None:
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0"))
    data = {**dev.newest(), "InstanceType": "t3.small"}
    dev.session.client("ec2").create_launch_template_version(LaunchTemplateId=dev.template, LaunchTemplateData=data)
    release(dev.production(), Wanted("1.0"))
    assert dev.group()["LaunchTemplate"]["Version"] == "3"
    assert list(dev.versions()) == [1, 2, 3], "Terraform's version is taken as it is"


def test_an_unknown_version_names_those_that_exist(dev: Dev) -> None:
    dev.publish("1.0")
    with pytest.raises(LyceumError, match=r"no release 1\.1 in .*nothing was changed.*Published are: 1\.0"):
        release(dev.production(), Wanted("1.1"))
    with pytest.raises(Usage, match=r"no version of a release"):
        release(dev.production(), Wanted("../1.0"))
    untouched(dev)


@pytest.mark.parametrize("archive", [b"an archivE", b"", b"an archive."])
def test_an_artifact_altered_by_one_byte_is_not_released(dev: Dev, archive: bytes) -> None:
    dev.publish("1.0")
    dev.session.client("s3").put_object(Bucket=BUCKET, Key="1.0/lyceum.tar.gz", Body=archive)
    with pytest.raises(Refused, match=r"The archive of 1\.0 was altered.*Nothing was changed"):
        release(dev.production(), Wanted("1.0"))
    untouched(dev)


def test_an_artifact_without_its_archive_or_name_is_not_released(dev: Dev) -> None:
    dev.publish("1.0")
    s3 = dev.session.client("s3")
    s3.delete_object(Bucket=BUCKET, Key="1.0/lyceum.tar.gz")
    with pytest.raises(Refused, match=r"a manifest and no archive"):
        release(dev.production(), Wanted("1.0"))
    s3.put_object(Bucket=BUCKET, Key="1.0/manifest.sha256", Body=b"")
    with pytest.raises(Refused, match=r"does not name lyceum\.tar\.gz"):
        release(dev.production(), Wanted("1.0"))
    untouched(dev)


def test_a_bad_release_is_rolled_back_and_said_so(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
    release(dev.production(), Wanted("1.0"))
    dev.refreshes.course = ["InProgress", "RollbackInProgress", "RollbackSuccessful"]
    with pytest.raises(
        RolledBack, match=rf"2\.0 was rolled back; production runs 1\.0: version 2 on 1.*{ALARM}"
    ) as said:
        release(dev.production(), Wanted("2.0"))
    assert said.value.exit_code == 1
    assert dev.live() == "1.0"
    assert live_history(dev) == [("release", "1.0", "live"), ("release", "2.0", "rolled back")]
    # Terraform writes the next version from the newest: it must carry what is live.
    assert dev.versions() == {1: "none", 2: "1.0", 3: "2.0", 4: "1.0"}
    assert not dev.locked()


def test_a_release_that_brings_no_server_is_taken_back_before_aws_loses_patience(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
    release(dev.production(), Wanted("1.0"))
    dev.refreshes.course = ["InProgress"] * 1000
    began = dev.slept
    with pytest.raises(
        RolledBack, match=r"2\.0 was rolled back; production runs 1\.0: version 2.*no server of 2\.0 .* within 300 s\."
    ):
        release(dev.production(), Wanted("2.0", patience_seconds=300))
    assert 300 < dev.slept - began < 330
    assert dev.live() == "1.0"
    assert live_history(dev) == [("release", "1.0", "live"), ("release", "2.0", "rolled back")]
    assert dev.versions()[4] == "1.0", "Terraform writes the next version from what is live"


def test_patience_is_for_servers_that_come_and_not_for_the_watching_afterwards(dev: Dev) -> None:
    dev.publish("1.0")
    dev.refreshes.course = ["InProgress", *["Baking"] * 200, "Successful"]
    release(dev.production(), Wanted("1.0", bake_seconds=900, patience_seconds=60))
    assert dev.live() == "1.0"


def test_a_rollback_is_never_turned_round_by_itself(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
        release(dev.production(), Wanted(version))
    dev.refreshes.course = ["InProgress"] * 400 + ["Successful"]
    rollback(dev.production(at_most=3600))
    assert "Preferences.InstanceWarmup" not in dev.refreshes.started[-1], "what goes back waits for nothing"
    assert dev.live() == "1.0", "turned round it would bring the bad release again"


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("Failed", "production is mixed"),
        ("RollbackFailed", "production is mixed"),
        ("Cancelled", "was cancelled half way"),
    ],
)
def test_a_release_that_breaks_half_way_says_which_servers_run_what(dev: Dev, ending: str, said: str) -> None:
    dev.publish("1.0")
    dev.refreshes.course = ["InProgress", ending]
    with pytest.raises(RolledBack, match=rf"{said}.*version 1 on 1 server.*--version"):
        release(dev.production(), Wanted("1.0"))


def test_what_aws_calls_successful_is_held_against_the_servers(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.publish("1.0")
    monkeypatch.setattr(dev.refreshes, "_replace", lambda _: None)
    with pytest.raises(RolledBack, match=r"production is mixed: version 1 on 1 server"):
        release(dev.production(), Wanted("1.0"))


def test_nothing_is_released_while_an_alarm_rings(dev: Dev) -> None:
    dev.publish("1.0")
    dev.alarm("ALARM")
    with pytest.raises(Refused, match=rf"{ALARM} rings: .*untouched.*\./lyceum rollback dev"):
        release(dev.production(), Wanted("1.0"))
    assert dev.refreshes.started == []
    assert list(dev.versions()) == [1], "what is refused leaves no version behind"
    dev.alarm("OK")
    release(dev.production(), Wanted("1.0"))
    assert list(dev.versions()) == [1, 2]


def test_a_version_that_was_written_is_used_by_the_next(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.publish("1.0")
    production = dev.production()

    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(production.servers, "start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        release(production, Wanted("1.0"))
    assert list(dev.versions()) == [1, 2]
    release(dev.production(), Wanted("1.0"))
    assert list(dev.versions()) == [1, 2], "and not a second one"


def test_what_is_live_needs_no_fitness_and_the_newest_version_carries_it(
    dev: Dev, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.publish("1.0")
    release(dev.production(), Wanted("1.0"))
    servers = dev.production().servers
    live = servers.version(dev.template, 2)
    servers.add_version(dev.template, live, release="2.0", image=live.image, description="left by a command that died")
    dev.alarm("ALARM")
    release(dev.production(), Wanted("1.0"))
    assert "1.0 is live already" in capsys.readouterr().out
    assert dev.versions() == {1: "none", 2: "1.0", 3: "2.0", 4: "1.0"}


def test_a_group_at_its_largest_is_left_alone_unless_told(dev: Dev) -> None:
    dev.publish("1.0")
    dev.session.client("autoscaling").set_desired_capacity(AutoScalingGroupName="lyceum-dev-servers", DesiredCapacity=2)
    with pytest.raises(Refused, match=r"at its largest, 2 of 2 .*untouched: version 1 on 2 servers.*--at-max-size"):
        release(dev.production(), Wanted("1.0"))
    untouched(dev)
    assert list(dev.versions()) == [1], "what is refused leaves no version behind"
    release(dev.production(), Wanted("1.0", at_max_size=True))
    assert dev.live() == "1.0"


def test_ctrl_c_says_that_aws_goes_on_and_the_same_again_joins_it(dev: Dev) -> None:
    dev.publish("1.0")

    def interrupt(look: int) -> None:
        if look == 2:
            raise KeyboardInterrupt

    dev.refreshes.before_look = interrupt
    with pytest.raises(
        Interrupted, match=r"goes on at AWS without this command; last seen: Pending, 0 %.*Undo it"
    ) as said:
        release(dev.production(), Wanted("1.0"))
    assert said.value.exit_code == 130
    assert not dev.locked()
    assert live_history(dev) == [("release", "1.0", "under way")]
    release(dev.production(), Wanted("1.0"))
    assert dev.live() == "1.0"
    assert len(dev.refreshes.started) == 1, "joined, not begun again"
    assert live_history(dev) == [("release", "1.0", "live")]


def test_a_network_that_comes_back_is_waited_for(dev: Dev) -> None:
    dev.publish("1.0")

    def away(look: int) -> None:
        if 1 < look < 6:
            raise EndpointConnectionError(endpoint_url="https://autoscaling")

    dev.refreshes.before_look = away
    release(dev.production(), Wanted("1.0"))
    assert dev.live() == "1.0"


def test_a_network_that_stays_away_ends_the_waiting_and_the_same_again_finishes(dev: Dev) -> None:
    dev.publish("1.0")

    def away(look: int) -> None:
        if look > 1:
            raise EndpointConnectionError(endpoint_url="https://autoscaling")

    dev.refreshes.before_look = away
    with pytest.raises(LyceumError, match=r"AWS was not reached.*goes on at AWS.*last seen: Pending"):
        release(dev.production(), Wanted("1.0"))
    assert dev.slept < 400
    dev.refreshes.before_look = lambda _: None
    # Meanwhile AWS came to an end by itself.
    for _ in range(4):
        dev.refreshes.move()
    assert live_history(dev) == [("release", "1.0", "live")]
    release(dev.production(), Wanted("1.0"))
    assert dev.live() == "1.0"
    assert len(dev.refreshes.started) == 1


def test_credentials_that_expire_in_the_middle_say_what_goes_on(dev: Dev) -> None:
    dev.publish("1.0")

    def expire(look: int) -> None:
        if look == 2:
            raise Said("ExpiredToken", "The security token included in the request is expired", 403)

    dev.refreshes.before_look = expire
    with pytest.raises(NoCredentials, match=r"expired.*goes on at AWS.*\./lyceum login.*Watch it to its end"):
        release(dev.production(), Wanted("1.0"))


def test_a_release_that_never_ends_is_left_after_a_while(dev: Dev) -> None:
    dev.publish("1.0")
    dev.refreshes.course = ["InProgress"] * 1000
    with pytest.raises(LyceumError, match=r"After 2 minutes.*goes on at AWS.*InProgress, 50 %"):
        release(dev.production(at_most=120), Wanted("1.0"))


def test_another_release_under_way_is_named_and_left_alone(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
    dev.refreshes.before_look = lambda look: (_ for _ in ()).throw(KeyboardInterrupt) if look == 2 else None
    with pytest.raises(Interrupted):
        release(dev.production(), Wanted("1.0"))
    with pytest.raises(Refused, match=r"the release of 1\.0 is under way.*from none to 1\.0.*Nothing was changed"):
        release(dev.production(), Wanted("2.0"))
    assert len(dev.refreshes.started) == 1


def test_two_releases_cannot_cross(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
    refusals: list[str] = []

    def meanwhile(look: int) -> None:
        if look == 1:
            with pytest.raises(Refused) as said:
                release(dev.production(OTHER), Wanted("2.0"))
            refusals.append(str(said.value))

    dev.refreshes.before_look = meanwhile
    release(dev.production(), Wanted("1.0"))
    assert dev.live() == "1.0"
    [said] = refusals
    assert f"dev is held by {ME} (release 1.0, since 12:00:00 UTC)" in said
    assert "runs out at 12:05:00 UTC" in said


def test_a_refresh_that_began_in_this_moment_is_named(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.publish("1.0")

    def refuse(_: object) -> None:
        raise Said("InstanceRefreshInProgress", "Somebody was faster")

    monkeypatch.setattr(dev.refreshes, "_StartInstanceRefresh", refuse)
    with pytest.raises(Refused, match=r"Another refresh of lyceum-dev-servers began in this moment.*version 1 on 1"):
        release(dev.production(), Wanted("1.0"))
    assert live_history(dev)[-1][2] == "failed"


def test_a_lock_is_renewed_while_aws_works(dev: Dev) -> None:
    dev.publish("1.0")
    dev.refreshes.course = ["InProgress"] * 200 + ["Successful"]
    until = []
    dev.refreshes.before_look = lambda _: until.append(dev.production().lock.holder())
    release(dev.production(), Wanted("1.0", patience_seconds=3600))
    assert all(holder and holder.until > dev.time.replace(hour=12, minute=0) for holder in until)
    last = until[-1]
    assert last
    assert last.until > dev.time, "a quarter of an hour later it is still held"


def test_the_lock_of_one_who_died_is_taken_over_when_it_ran_out(dev: Dev) -> None:
    dev.publish("1.0")
    dead = dev.production(OTHER)
    killed = dead.lock.held("release 0.9")  # never left: its reference is kept until the end
    killed.__enter__()
    with pytest.raises(Refused, match=r"held by .*pipeline-release"):
        release(dev.production(), Wanted("1.0"))
    dev.production().pace.sleep(301)
    release(dev.production(), Wanted("1.0"))
    assert dev.live() == "1.0"
    # The dead one was only asleep: it finds that it lost the lock, and lets the new one's alone.
    with dev.production().lock.held("release 2.0"):
        with pytest.raises(Refused, match=r"was taken over by .*release 2\.0"):
            dead.lock.renew()
        dead.lock._let_go()
        assert dev.locked()


# ------------------------------------------------------------------------------------------------ rollback


def test_a_rollback_brings_back_what_ran_before(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
        release(dev.production(), Wanted(version))
    dev.alarm("ALARM")
    rollback(dev.production())
    assert dev.live() == "1.0"
    assert dev.group()["LaunchTemplate"]["Version"] == "2", "the very version that ran, with its image"
    assert "Preferences.AlarmSpecification.Alarms.member.1" not in dev.refreshes.started[-1]
    assert live_history(dev)[-1] == ("rollback", "1.0", "live")
    with pytest.raises(Refused, match=r"runs 1\.0, and nothing is known that ran before it"):
        rollback(dev.production())
    assert dev.live() == "1.0", "a second rollback does not go forward to the bad one"


def test_a_rollback_turns_a_release_round_that_is_under_way(dev: Dev, capsys: pytest.CaptureFixture[str]) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
    release(dev.production(), Wanted("1.0"))
    dev.refreshes.looks = 0
    dev.refreshes.before_look = lambda look: (_ for _ in ()).throw(KeyboardInterrupt) if look == 2 else None
    with pytest.raises(Interrupted):
        release(dev.production(), Wanted("2.0"))
    rollback(dev.production())
    assert "dev is back on 1.0, version 2." in capsys.readouterr().out
    assert live_history(dev)[-1] == ("release", "2.0", "rolled back")
    assert not dev.locked()


def test_a_rollback_that_was_cut_short_is_finished_by_the_same_again(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
        release(dev.production(), Wanted(version))
    dev.refreshes.looks = 0
    dev.refreshes.before_look = lambda look: (_ for _ in ()).throw(KeyboardInterrupt) if look == 2 else None
    with pytest.raises(Interrupted):
        rollback(dev.production())
    rollback(dev.production())
    assert dev.live() == "1.0"
    assert len(dev.refreshes.started) == 3, "joined, neither begun again nor turned round"


def test_before_the_first_release_there_is_nothing_to_go_back_to(dev: Dev) -> None:
    with pytest.raises(Refused, match=r"dev runs none, and nothing is known"):
        rollback(dev.production())


# ------------------------------------------------------------------------------------------------ history


def test_the_history_says_what_ran_when_and_under_whose_identity(dev: Dev) -> None:
    for version, who in (("1.0", ME), ("2.0", OTHER)):
        dev.publish(version)
        release(dev.production(who), Wanted(version))
    found = history(dev.production())
    assert found["live"]["release"] == "2.0"
    assert [(one["release"], one["identity"], one["is_live"]) for one in found["entries"]] == [
        ("2.0", OTHER, True),
        ("1.0", ME, False),
    ]
    assert found["published"] == ["1.0", "2.0"]
    assert found["held_by"] == ""


def test_the_history_reads_no_more_than_it_tells(dev: Dev) -> None:
    for version in ("1.0", "2.0"):
        dev.publish(version)
        release(dev.production(), Wanted(version))
    read: list[str] = []
    s3 = dev.session.client("s3")
    s3.meta.events.register("before-parameter-build.s3.GetObject", lambda params, **_: read.append(params["Key"]), "r")
    try:
        entries = list(dev.production().ledger.newest_first())
    finally:
        s3.meta.events.unregister("before-parameter-build.s3.GetObject", unique_id="r")
    assert [(one.release, one.outcome) for one in entries] == [("2.0", "live"), ("1.0", "live")]
    assert len(read) == 2


def test_a_group_on_latest_is_refused(dev: Dev) -> None:
    dev.publish("1.0")
    dev.session.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="lyceum-dev-servers",
        LaunchTemplate={"LaunchTemplateId": dev.template, "Version": "$Latest"},
    )
    with pytest.raises(Refused, match=r"version \$Latest of its template, which is no number"):
        release(dev.production(), Wanted("1.0"))
