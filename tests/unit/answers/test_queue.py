"""Rows that fail again and again keep no other row waiting, and are given up one by one."""

from nova_judge.answers.retries import Jobs, PromptJob


def taken(jobs, now=0.0):
    rows = []
    while jobs.is_one_due(now):
        rows.append(jobs.take().row)
    return rows


def test_rows_are_asked_in_their_order():
    assert taken(Jobs(PromptJob(row) for row in range(5))) == [0, 1, 2, 3, 4]


def test_what_was_never_asked_goes_before_what_failed_in_this_call_or_an_earlier_one():
    jobs = Jobs([PromptJob(0, tries=1, spent_s=60.0), PromptJob(1), PromptJob(2)])
    failed = jobs.take()
    jobs.put_back(failed._replace(tries=1, spent_s=1.0), due=0.0)
    assert (failed.row, jobs.fresh, taken(jobs)) == (1, 1, [2, 0, 1])


def test_of_what_failed_the_one_that_cost_most_goes_first():
    jobs = Jobs([])
    for row, spent_s in enumerate([5.0, 50.0, 20.0]):
        jobs.put_back(PromptJob(row, 1, spent_s), due=0.0)
    assert taken(jobs) == [1, 2, 0]


def test_nothing_is_asked_before_its_pause_is_over():
    jobs = Jobs([])
    jobs.put_back(PromptJob(0, 1, 9.0), due=3.0)
    jobs.put_back(PromptJob(1, 1, 1.0), due=2.0)
    assert bool(jobs)
    assert not jobs.is_one_due(1.0)
    assert jobs.until_due(1.5) == 0.5
    assert taken(jobs, now=2.0) == [1]
    assert taken(jobs, now=3.0) == [0]
    assert (bool(jobs), jobs.until_due(3.0)) == (False, float("inf"))
