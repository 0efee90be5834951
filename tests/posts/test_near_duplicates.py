"""Which posts are twins."""

from __future__ import annotations

import logging
import random

import numpy as np
import pyarrow as pa
import pytest

from multimodal_sentiment.posts import near_duplicates
from multimodal_sentiment.posts.content_keys import content_keys, find_placeholders, normalise_text
from multimodal_sentiment.posts.near_duplicates import find_near_duplicates, group_posts


class TestNormaliseText:
    @pytest.mark.parametrize(
        "text",
        [
            "What a LOVELY day",
            "RT @someone: What a lovely day",
            "rt @someone what a lovely day",
            "RT @one: RT @two_3: What a lovely day",
            "What a lovely day http://t.co/abc123",
            "@one @two What  a\nlovely\tday https://example.org/x?y=z",
            "\u3000What a lovely day www.example.org",
        ],
    )
    def test_who_shared_it_and_what_it_links_to_do_not_count(self, text: str) -> None:
        assert normalise_text(text) == "what a lovely day"

    def test_case_is_folded_in_every_script(self) -> None:
        assert normalise_text("STRASSE nach Süden") == normalise_text("Straße nach SÜDEN")

    def test_words_that_begin_like_a_share_stay(self) -> None:
        assert normalise_text("RTL is a channel") == "rtl is a channel"

    @pytest.mark.parametrize(
        "text", ["", "   ", "lol", "@a @b", "RT @someone: http://t.co/1", "so cute"]
    )
    def test_too_little_text_is_none(self, text: str) -> None:
        assert normalise_text(text) == ""


class TestFindTwins:
    def test_groups_are_numbered_as_they_appear(self) -> None:
        texts = ["a first text", "a second text", "A FIRST text", "a third text"]
        assert find_near_duplicates(texts, ["", "", "", ""]).tolist() == [0, 1, 0, 2]

    def test_equal_pictures_join(self) -> None:
        texts = ["a first text", "a second text", "a third text"]
        assert find_near_duplicates(texts, ["ff00", "00ff", "ff00"]).tolist() == [0, 1, 0]

    def test_twins_of_twins_are_twins(self) -> None:
        texts = ["a first text", "another text", "another text", "a last text"]
        assert find_near_duplicates(texts, ["aa", "aa", "bb", "bb"]).tolist() == [0, 0, 0, 0]

    def test_having_nothing_in_common_is_no_bond(self) -> None:
        assert find_near_duplicates(["", "lol", "lol", ""], ["", "", "", ""]).tolist() == [
            0,
            1,
            2,
            3,
        ]

    def test_a_text_is_never_the_twin_of_a_hash(self) -> None:
        assert find_near_duplicates(
            ["0123456789abcdef", ""], ["", "0123456789abcdef"]
        ).tolist() == [0, 1]

    def test_an_image_of_many_different_texts_joins_nothing(self) -> None:
        texts = [f"a text of its own, {n}" for n in range(11)] + ["the same text"] * 2
        hashes = ["aa"] * 11 + ["bb"] * 2
        assert find_near_duplicates(texts, hashes).tolist() == [*range(11), 11, 11]

    def test_no_posts_have_no_groups(self) -> None:
        assert find_near_duplicates([], []).tolist() == []


class TestFindPlaceholders:
    @staticmethod
    def found(sharing: int, posts: int, texts: int) -> dict[str, int]:
        """Of so many posts, some share an image, under so many different texts."""
        said = [f"a text of its own, {n % texts if n < sharing else n}" for n in range(posts)]
        return find_placeholders(said, ["aa"] * sharing + [""] * (posts - sharing))

    @pytest.mark.parametrize(
        ("sharing", "posts", "texts", "is_one"),
        [
            (11, 100, 11, True),
            (10, 10, 10, False),  # too few texts
            (11, 100, 10, False),
            (90, 100, 3, False),  # one post, copied with small changes
            (50, 1000, 50, False),  # 5% of all posts
            (51, 1000, 51, True),
        ],
    )
    def test_it_takes_many_texts_and_many_posts(
        self, sharing: int, posts: int, texts: int, is_one: bool
    ) -> None:
        assert self.found(sharing, posts, texts) == ({"aa": sharing} if is_one else {})

    def test_shared_texts_count_once_however_they_were_shared(self) -> None:
        texts = [f"RT @user{n}: what a lovely day" for n in range(40)]
        assert find_placeholders(texts, ["aa"] * 40) == {}

    def test_several_are_found_the_commonest_first(self) -> None:
        texts = [f"text number {n}" for n in range(60)]
        assert find_placeholders(texts, ["aa"] * 20 + ["bb"] * 40) == {"bb": 40, "aa": 20}

    def test_no_image_is_no_placeholder(self) -> None:
        assert find_placeholders([f"text number {n}" for n in range(60)], [""] * 60) == {}


def test_a_post_is_known_again_by_its_text_its_image_or_both():
    texts = ["What a lovely day!", "RT @me what a LOVELY  day!", "lol", "lol", "lol", "quite other"]
    hashes = ["aa", "bb", "", "", "cc", "aa"]

    keys = content_keys(texts, hashes)

    text, image, both = keys.T
    assert text[0] == text[1] != text[5]
    assert list(text[2:5]) == [0, 0, 0]  # too short to be copied
    assert image[0] == image[5] != image[1]
    assert list(image[2:4]) == [0, 0]
    assert both[2] == both[3]
    assert len(set(both)) == 5
    assert keys.dtype == np.uint64
    assert (content_keys(texts[::-1], hashes[::-1])[::-1] == keys).all()  # of no other post


def test_a_placeholder_makes_no_post_known():
    texts = [f"quite another text, number {number}" for number in range(30)]

    assert not content_keys(texts, ["aa"] * 30)[:, 1].any()


class TestOnDisk:
    """More posts than are to be held in memory have the same groups."""

    @pytest.fixture(autouse=True)
    def all_on_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("duckdb", reason="the extra [cluster] is not there")
        monkeypatch.setattr(near_duplicates, "MOST_IN_MEMORY", 0)

    def check(self, texts: list[str], hashes: list[str]) -> np.ndarray:
        groups = group_posts(pa.table({"text": texts, "image_hash": hashes}))
        assert groups.tolist() == find_near_duplicates(texts, hashes).tolist()
        return groups

    @pytest.mark.parametrize("seed", range(6))
    def test_groups_of_random_posts_are_equal(self, seed: int) -> None:
        rng = random.Random(seed)
        posts = 400
        # From few shared keys to so many that most posts hang together.
        kinds = posts * 2 ** (2 - seed)
        texts = [
            rng.choice(["", "lol", "RT @a: ", "", ""]) + f"text {rng.randrange(int(kinds) + 1):06}"
            if rng.random() < 0.8
            else rng.choice(["", "lol"])
            for _ in range(posts)
        ]
        hashes = [
            f"{rng.randrange(int(kinds) + 1):x}" if rng.random() < 0.7 else "" for _ in range(posts)
        ]
        groups = self.check(texts, hashes)
        assert 1 < len(set(groups)) < posts

    def test_a_long_chain_of_posts_is_one_group(self) -> None:
        order = list(range(3000))
        random.Random(0).shuffle(order)
        texts = [f"the text {number // 2:08}" for number in order]
        hashes = [f"{(number + 1) // 2:x}" for number in order]
        assert set(self.check(texts, hashes)) == {0}

    def test_placeholders_join_nothing_here_either(self) -> None:
        texts = [f"a text of its own, {n}" for n in range(11)] + ["the same text"] * 2
        assert self.check(texts, ["aa"] * 11 + ["bb"] * 2).tolist() == [*range(11), 11, 11]
        # Not different enough: posts without a text count as one.
        self.check([""] * 20 + texts[:5], ["aa"] * 25)
        self.check([*texts[:10], ""], ["aa"] * 11)
        self.check(texts[:10], ["aa"] * 10)

    def test_a_text_is_never_the_twin_of_a_hash(self) -> None:
        assert self.check(["0123456789abcdef", ""], ["", "0123456789abcdef"]).tolist() == [0, 1]

    def test_no_posts_have_no_groups(self) -> None:
        self.check(["alone in the world"], [""])

    def test_without_duckdb_memory_is_used_and_the_log_says_so(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(near_duplicates.importlib.util, "find_spec", lambda _: None)
        with caplog.at_level(logging.WARNING):
            self.check(["the same text", "the same text"], ["", ""])
        assert "multimodal-sentiment[cluster]" in caplog.text
