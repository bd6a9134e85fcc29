"""Questions are answered in words; a name that nobody has is refused with those that somebody has."""

from __future__ import annotations

import pytest

from lyceum_lab.proofs.network import prove
from lyceum_lab.proofs.network.check import Model
from lyceum_lab.proofs.network.topology import Topology
from lyceum_lab.proofs.report import Broken
from lyceum_lab.rehearsal import infrastructure, state
from lyceum_lab.rehearsal.infrastructure import Session
from lyceum_lab.rehearsal.state import State
from lyceum_ops.errors import LyceumError, Usage


def words(model: Model, capsys: pytest.CaptureFixture[str], *question: str | int) -> list[str]:
    source, target, port, protocol = (*question, "tcp")[:4]
    prove.answer(model, str(source), str(target), int(port), str(protocol))
    return capsys.readouterr().out.splitlines()


def test_a_refusal_says_why(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    said = words(model, capsys, "internet", "database", 5432)
    assert said[0].endswith("tcp 5432 is refused: request: database@us-east-1a has no public address")
    assert said[1] == (
        "  Each of these refuses it by itself: network ACL lyceum-dev-data, in (no rule); "
        "security group lyceum-dev-database, in."
    )
    assert said[-1] == "The list wants it refused."


def test_a_way_is_told_step_by_step_once_for_all_zones(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    said = words(model, capsys, "server", "internet", 443)
    assert said[0] == "server@us-east-1a → internet tcp 443 passes through NAT"
    assert "  ok  reply: network ACL lyceum-dev-app, in, rule 600 (allow tcp 32768-60999 from 0.0.0.0/0)" in said
    assert said[-2] == "  The same between server@us-east-1b → internet."
    assert said[-1].startswith("The list wants it to pass")


def test_a_zone_may_be_named_and_underscores_are_as_good(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    said = words(model, capsys, "load_balancer@us-east-1b", "server@us-east-1a", 8000)
    assert said[0] == "load-balancer@us-east-1b → server@us-east-1a tcp 8000 passes within the VPC"


def test_another_of_its_kind_is_another_host(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    assert "security group lyceum-dev-server, out" in words(model, capsys, "server", "server", 8000)[0]


def test_one_list_in_the_way_is_told_apart_from_many(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    # In the same subnet only groups are asked; between jobs and files the ACLs refuse it too.
    assert "itself: security group lyceum-dev-files, out; security group lyceum-dev-database, in." in " ".join(
        words(model, capsys, "files@us-east-1a", "database@us-east-1a", 5432)
    )
    said = " ".join(words(model, capsys, "jobs", "files", 2049))
    assert "network ACL lyceum-dev-management, out, rule 500 (deny all to 10.20.0.0/16)" in said


def test_a_protocol_without_ports_needs_none(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    assert "icmp is refused" in words(model, capsys, "bastion", "database", 0, "icmp")[0]


def test_an_unknown_name_lists_the_known_ones(model: Model) -> None:
    with pytest.raises(Usage, match=r"named 'base'.*bastion, database, dynamodb, files, internet, jobs, load-balancer"):
        prove.answer(model, "internet", "base", 5432, "tcp")
    with pytest.raises(Usage, match="both outside"):
        prove.answer(model, "internet", "operator", 443, "tcp")
    with pytest.raises(Usage, match=r"named 'base'.*load-balancer, server"):
        prove.ask("internet", "base", 5432, "tcp")
    with pytest.raises(Usage, match="no protocol named 'quic'"):
        prove.ask("internet", "database", 5432, "quic")
    with pytest.raises(Usage, match="no environment named 'test'"):
        prove.prove("test")


def test_an_endpoint_that_does_not_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf:
        def client(self, service: str) -> object:
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(LyceumError, match="could not be read: Could not connect"):
        prove.prove_on(Deaf(), "dev")


def test_the_whole_proof_runs_and_counts(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prove, "read", lambda *_: model.topology)
    assert prove.prove_on(None, "dev") == 0  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"{len(prove.PROMISES)} passed, 0 failed"
    assert "61 removed, 59 noticed and named, 2 justified" in said


def test_a_broken_rule_breaks_the_proof_and_is_named(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = next(one for one in model.topology.acls["lyceum-dev-data"].rules if one.egress and one.number == 110)
    monkeypatch.setattr(prove, "read", lambda *_: model.topology.changed(rule, None))
    assert prove.prove_on(None, "dev") == 1  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert "reply: network ACL lyceum-dev-data, out: rule 500 denies tcp 32768 to 10.20.48." in said
    assert "BROKEN not tried   each rule that is taken away" in said


def test_a_trial_of_nothing_is_no_success() -> None:
    with pytest.raises(Broken, match="nothing was widened"):
        prove._trials([], "widened")


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (None, "No rehearsal runs. Start one with ./lyceum up"),
        (State(pid=1, phase="starting", emulator="http://127.0.0.1:1"), "is still starting"),
        (State(pid=1, phase="ready", environment="prod", emulator="http://127.0.0.1:1"), "is of prod, not of dev"),
    ],
)
def test_a_rehearsal_that_cannot_be_asked_says_why(
    there: State | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "running", lambda: there)
    with pytest.raises(LyceumError, match=said):
        prove.prove("dev", running=True)


def test_a_question_goes_to_the_rehearsal_that_runs(
    model: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    there = State(pid=1, phase="ready", emulator="http://127.0.0.1:1")
    monkeypatch.setattr(state, "running", lambda: there)
    monkeypatch.setattr(infrastructure, "isolate", lambda: None)

    def read(session: Session, environment: str) -> Topology:
        asked.append((session.url, environment))
        return model.topology

    monkeypatch.setattr(prove, "read", read)
    assert prove.ask("operator", "load-balancer", 80, "tcp") == 0
    assert asked == [("http://127.0.0.1:1", "dev")]
    assert "passes through the internet gateway" in capsys.readouterr().out
