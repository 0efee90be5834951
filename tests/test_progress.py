from __future__ import annotations

import pytest

from multimodal_sentiment import progress


@pytest.fixture
def clock(monkeypatch):
    """Each look at the clock is ten seconds later than the one before."""
    seconds = iter(range(0, 10_000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def test_long_work_says_how_far_it_is(clock, caplog):
    caplog.set_level("INFO")

    assert list(progress.log_progress("abcde", 5, "Reading texts of")) == list("abcde")

    assert caplog.messages == [
        "Reading texts of: 2 of 5 posts, 0.1 a second, about 30 s left",
        "Reading texts of: 4 of 5 posts, 0.1 a second, about 10 s left",
    ]


def test_short_work_is_silent(caplog):
    caplog.set_level("INFO")

    assert list(progress.log_progress(range(1000), 1000, "Reading")) == list(range(1000))
    assert not caplog.messages


def test_work_within_other_work_may_be_silent(clock, caplog):
    caplog.set_level("INFO")

    with progress.no_progress():
        assert list(progress.log_progress("abcde", 5, "Predicting")) == list("abcde")
    assert not caplog.messages

    list(progress.log_progress("abcde", 5, "Explaining"))
    assert len(caplog.messages) == 2
