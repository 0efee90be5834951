"""The mixture of encodings of a source, and the profile that carries it to other posts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from multimodal_sentiment.decoding import EncodingProfile
from multimodal_sentiment.decoding.mixture import UNSEEN_POSTS, posteriors


def test_a_lone_post_is_judged_by_its_text_alone():
    # 1 bit apart: twice as probable.
    np.testing.assert_allclose(posteriors(np.array([[3.0, 4.0]])), [[2 / 3, 1 / 3]])


def test_what_a_source_leaves_no_doubt_about_decides_a_doubtful_post():
    bits = np.array([[0.0, 60.0]] * 9 + [[1.0, 0.0]])
    shares = posteriors(bits)
    # 9.01 posts against 0.01, half as plausible: 4.505 to 0.01.
    assert shares[-1, 0] == pytest.approx(4.505 / 4.515)


def test_a_post_does_not_vouch_for_itself():
    # Were the doubtful post counted in its own prior, that would grow from 0.01 to 1.01 posts.
    bits = np.array([[0.0, 60.0]] * 99 + [[5.0, 0.0]])
    assert posteriors(bits)[-1, 0] > 0.99


def test_a_plain_minority_is_not_overruled():
    bits = np.array([[0.0, 60.0]] * 990 + [[30.0, 0.0]] * 10)
    assert (posteriors(bits)[-10:, 1] > 0.999).all()


def test_an_encoding_that_has_no_reading_of_a_post_is_out_of_the_question():
    bits = np.array([[np.inf, 90.0], [0.0, 80.0]])
    np.testing.assert_allclose(posteriors(bits)[0], [0.0, 1.0])


def test_no_posts_have_no_posteriors():
    assert posteriors(np.empty((0, 3))).shape == (0, 3)


def test_a_profile_survives_json():
    profile = EncodingProfile(posts={"utf-8": 3}, expected={"utf-8": 2.9, "cp1252": 0.1})
    values = json.loads(json.dumps(profile.to_dict()))
    assert EncodingProfile.from_dict(values) == profile
    assert EncodingProfile.from_dict(values | {"flagged": {"posts": 1}}) == profile


def test_a_profile_counts_for_its_posts_less_one_and_no_more_than_a_thousand():
    profile = EncodingProfile(posts={}, expected={"utf-8": 3000.0, "cp1252": 1000.0, "hz": 0.4})
    # 4000.4 posts count for 1000 together; each encoding for 0.01 more, seen or not.
    np.testing.assert_allclose(
        profile.prior(["cp1252", "utf-8", "hz", "cp949"]),
        [0.01 + 999 * 1000 / 4000.4, 0.01 + 2999 * 1000 / 4000.4, 0.01, 0.01],
    )
    assert EncodingProfile(posts={}, expected={}).prior(["utf-8"]) == [UNSEEN_POSTS] == [0.01]


def test_what_is_known_of_utf8_counts_for_cesu8():
    profile = EncodingProfile(posts={}, expected={"utf-8": 11.0})
    np.testing.assert_allclose(profile.prior(["cesu-8", "cp1252"]), [10.01, 0.01])


def test_a_hint_decides_where_texts_leave_it_open():
    bits = np.array([[3.0, 1.0]] * 50)
    assert posteriors(bits)[0].argmax() == 1
    assert posteriors(bits, np.array([[8.0, 1.0]] * 50))[0].argmax() == 0


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "encoding profile: posts: Field required"),
        ([1, 2], "encoding profile: Input should be a valid dictionary, not [1, 2]; read"),
        ({"posts": {}}, "encoding profile: expected: Field required"),
        ({"posts": {}, "expected": {"utf-8": 10**400}}, "encoding profile: expected.utf-8: "),
        ({"posts": 3, "expected": {}}, "not 3"),
        ({"posts": {}, "expected": {"utf-8": -1.0}}, "not -1.0"),
        ({"posts": {"utf-8": "many"}, "expected": {}}, "not 'many'"),
        ({"posts": {}, "expected": {"utf-8": float("nan")}}, "not nan"),
        ({"posts": {}, "expected": {}, "doubted": "utf-8"}, "encoding profile: doubted: "),
        ({"posts": {}, "expected": {}, "doubted": [3]}, "encoding profile: doubted.0: "),
        ({"posts": {}, "expected": {}, "named": "utf-8"}, "encoding profile: named: "),
    ],
)
def test_what_is_no_profile_is_refused_in_one_line(values, complaint):
    with pytest.raises(ValueError, match="encoding profile") as error:
        EncodingProfile.from_dict(values)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)
