"""What is asked again, and after how long."""

import random

import pytest

from nova_judge.answers.retries import (
    CONNECTION_BROKEN,
    CUT_SHORT,
    EMPTY,
    TIMED_OUT,
    CallFailure,
    Outlook,
    RetryPolicy,
    by_status,
)


@pytest.mark.parametrize("status", [429, 503])
def test_push_back_is_asked_again_more_slowly(status):
    assert by_status(status).outlook is Outlook.THROTTLED


def test_throttling_that_comes_as_a_400_is_still_throttling():
    assert by_status(400, "ThrottlingException").outlook is Outlook.THROTTLED


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (402, '{"error": {"message": "Insufficient credits"}}'),
        (429, '{"error": {"message": "You exceeded your current quota, please check your plan"}}'),
        (429, '{"error": {"message": "no", "code": "insufficient_quota"}}'),
    ],
)
def test_an_account_without_credit_is_no_throttle(status, says):
    assert by_status(status, detail=says).outlook is Outlook.UNPAID
    assert by_status(429, detail="Rate limit reached: 20 requests a minute").outlook is (
        Outlook.THROTTLED
    )


@pytest.mark.parametrize(
    "more",
    [
        "For more information, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
        "Quota exceeded for metric: requests, limit: 15. Please retry in 34.07s.",
        "quotaId: GenerateRequestsPerMinutePerProjectPerModel",
    ],
)
def test_a_quota_of_a_minute_is_waited_for_whatever_else_is_said_of_it(more):
    says = f"You exceeded your current quota, please check your plan and billing details. {more}"
    assert by_status(429, detail=says).outlook is Outlook.THROTTLED


@pytest.mark.parametrize("status", [408, 424, 500, 502, 504, 530])
def test_passing_trouble_is_asked_again(status):
    assert by_status(status).outlook is Outlook.PASSING


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422])
def test_a_request_that_cannot_succeed_is_not_asked_again(status):
    assert by_status(status).outlook is Outlook.REFUSED


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_door_that_is_shut_is_told_apart_from_a_bad_row(status):
    assert by_status(status).outlook is Outlook.SHUT


@pytest.mark.parametrize(
    ("original", "outlook"),
    [
        (400, Outlook.REFUSED),
        (429, Outlook.THROTTLED),
        (503, Outlook.THROTTLED),
        (500, Outlook.PASSING),
        (None, Outlook.PASSING),
        (424, Outlook.PASSING),
    ],
)
def test_of_a_model_error_the_model_servers_own_status_counts(original, outlook):
    assert by_status(424, "ModelError", original=original).outlook is outlook


def test_the_reason_names_status_and_code_and_nothing_of_the_row():
    failure = by_status(400, "ValidationException", "The prompt 'secret' is too long")
    assert failure.reason == "400 ValidationException"
    assert "secret" in failure.detail


def test_the_fixed_failures_are_what_the_issue_lists():
    assert [f.outlook for f in (TIMED_OUT, CONNECTION_BROKEN, CUT_SHORT, EMPTY)] == [
        Outlook.THROTTLED,
        Outlook.PASSING,
        Outlook.PASSING,
        Outlook.REFUSED,
    ]


def test_pauses_are_spread_over_the_whole_of_a_growing_range():
    policy, chance = RetryPolicy(), random.Random(1)  # noqa: S311
    for tries, cap in [(1, 0.1), (2, 0.2), (4, 0.8), (7, 4.0), (300, 4.0)]:
        pauses = [policy.pause(tries, chance) for _ in range(2000)]
        assert 0 <= min(pauses) < cap * 0.02
        assert cap * 0.98 < max(pauses) <= cap
        assert sum(pauses) / 2000 == pytest.approx(cap / 2, rel=0.05)


@pytest.mark.parametrize(
    ("outlook", "tries", "spent", "gives_up"),
    [
        (Outlook.PASSING, 1, 0.0, False),
        (Outlook.THROTTLED, 299, 599.0, False),
        (Outlook.THROTTLED, 300, 0.0, True),
        (Outlook.PASSING, 2, 600.0, True),
        (Outlook.REFUSED, 1, 0.0, True),
        (Outlook.SHUT, 1, 0.0, False),
    ],
)
def test_when_a_row_is_given_up(outlook, tries, spent, gives_up):
    assert RetryPolicy().gives_up(CallFailure("x", outlook), tries, spent) is gives_up
