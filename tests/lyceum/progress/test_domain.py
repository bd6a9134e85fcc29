"""What a stretch earns, and which reports are refused."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyceum.progress import domain
from lyceum.progress.errors import FromTheFutureError, ImplausibleError, MalformedReportError, ProgressError

DURATION_MS = 61_000
OPENED_MS = 1_800_000_000_000


def earned(*stretches: tuple[float, float], duration_ms: int = DURATION_MS) -> set[int]:
    union = domain.merged((round(start * 1000), round(end * 1000)) for start, end in stretches)
    return set(domain.earned_buckets(union, duration_ms))


def parsed(**fields: Any) -> domain.Report:
    good: dict[str, Any] = {
        "report_id": "report-1",
        "elapsed_ms": 70_000,
        "position": 60.5,
        "stretches": [[0, 60.5]],
        "duration_ms": DURATION_MS,
    }
    return domain.parse_report(**good | fields)


def weighed(report: domain.Report, *, now_ms: int = OPENED_MS + 80_000) -> domain.Watch:
    return domain.weigh(report, opened_at_ms=OPENED_MS, issued_at_ms=OPENED_MS, now_ms=now_ms, duration_ms=DURATION_MS)


def test_half_a_bucket_counts_and_a_millisecond_less_does_not() -> None:
    assert earned((5, 7.5)) == {1}
    assert earned((5, 7.499)) == set()
    assert earned((5, 6), (8, 9.5)) == {1}
    assert earned((6, 7), (6.5, 7.5), (6, 6.9)) == set()


def test_the_last_bucket_is_as_long_as_what_remains() -> None:
    assert domain.bucket_count(DURATION_MS) == 13
    assert earned((60, 60.5)) == {12}
    assert earned((60, 60.4)) == set()
    assert earned((0, 61)) == set(range(13))
    assert earned((0, 63)) == set(range(13))


@pytest.mark.parametrize(("seconds", "needed"), [(1, 1), (5, 1), (6, 2), (50, 9), (61, 12), (21_600, 3888)])
def test_a_video_needs_nine_tenths_of_its_buckets(seconds: int, needed: int) -> None:
    assert domain.buckets_needed(seconds * 1000) == needed


@given(cuts=st.lists(st.integers(0, DURATION_MS), max_size=30))
def test_watching_without_pause_earns_everything_wherever_the_player_cuts(cuts: list[int]) -> None:
    edges = sorted({0, DURATION_MS, *cuts})
    pieces = list(itertools.pairwise(edges))
    assert domain.earned_buckets(domain.merged(pieces), DURATION_MS) == frozenset(range(13))


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, DURATION_MS), st.integers(0, DURATION_MS)).map(lambda pair: (min(pair), max(pair)))
    )
)
def test_merging_keeps_exactly_the_watched_milliseconds(pieces: list[tuple[int, int]]) -> None:
    union = domain.merged(pieces)
    assert {ms for piece in union for ms in range(*piece)} == {ms for piece in pieces for ms in range(*piece)}
    assert all(left[1] < right[0] for left, right in itertools.pairwise(union))


def test_a_good_report_is_accepted() -> None:
    watch = weighed(parsed())
    assert watch.buckets == frozenset(range(13))
    assert watch.position_ms == 60_500
    assert watch.order.startswith(f"{OPENED_MS + 70_000:015d}#report-1#")


@pytest.mark.parametrize(
    "fields",
    [
        {"report_id": "short"},
        {"report_id": "x" * 65},
        {"report_id": "with#hash"},
        {"report_id": None},
        {"elapsed_ms": -1},
        {"elapsed_ms": math.nan},
        {"elapsed_ms": "70000"},
        {"elapsed_ms": True},
        {"elapsed_ms": 10**400},
        {"position": -0.001},
        {"position": 64},
        {"position": math.inf},
        {"position": None},
        {"stretches": None},
        {"stretches": {"0": 1}},
        {"stretches": [[0]]},
        {"stretches": [[0, 1, 2]]},
        {"stretches": [[0, math.nan]]},
        {"stretches": [[-1, 1]]},
        {"stretches": [[2, 1]]},
        {"stretches": [[0, 63.5]]},
        {"stretches": [["0", "1"]]},
        {"stretches": [[0, 1]] * 201},
    ],
)
def test_a_malformed_report_is_refused_with_the_name_of_the_field(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedReportError) as refused:
        parsed(**fields)
    assert f"`{next(iter(fields))}`" in str(refused.value)


def test_a_report_may_not_come_from_the_future() -> None:
    report = parsed(elapsed_ms=70_000)
    assert weighed(report, now_ms=OPENED_MS + 65_000)
    with pytest.raises(FromTheFutureError):
        weighed(report, now_ms=OPENED_MS + 64_999)


def test_nobody_watches_faster_than_the_fastest_speed() -> None:
    whole = [[0, 60.5]]
    assert weighed(parsed(elapsed_ms=18_200, stretches=whole))
    with pytest.raises(ImplausibleError):
        weighed(parsed(elapsed_ms=18_199, stretches=whole))


def test_the_same_seconds_told_twice_are_not_twice_as_much() -> None:
    assert weighed(parsed(elapsed_ms=18_200, stretches=[[0, 60.5], [0, 60.5], [1, 2]]))


def test_every_error_has_its_own_code() -> None:
    def leaves(kind: type[ProgressError]) -> list[type[ProgressError]]:
        kinds = kind.__subclasses__()
        return [leaf for sub in kinds for leaf in leaves(sub)] if kinds else [kind]

    codes = [leaf.code for leaf in leaves(ProgressError)]
    assert len(codes) == len(set(codes)) == 10
