"""Which labels there are."""

from __future__ import annotations

import pandas as pd
import pytest

from multimodal_sentiment.pipelines.ingestion.labels import find_labels, spell_labels


def tags(**counts: int) -> pd.Series:
    return pd.Series([tag for tag, count in counts.items() for _ in range(count)])


class TestOfATable:
    def test_they_are_the_tags_there_are_without_words_for_none(self) -> None:
        given = pd.Series(["b", "a", "null", "", "NaN", "a", "?", "c c"] * 20)
        assert find_labels(given) == ["a", "b", "c c"]

    @pytest.mark.parametrize(
        "given",
        [
            {"0": 50, "1": 60},
            {"true": 50, "false": 60},
            {"sad": 40, "mad": 40, "glad": 40},  # other words, as short as they are
            {"class 1": 40, "class 2": 40, "class a": 30, "class b": 30},
            {"positive": 10, "negative": 990},  # 1 %, and ten posts
            {f"emotion {number}": 20 for number in range(60)},
            {"a": 9, "b": 30},  # few posts, but no small share
            {"1.1": 12, "1.10": 11, "1.2": 12},  # sections
        ],
    )
    def test_different_labels_are_taken_as_they_are(self, given: dict[str, int]) -> None:
        assert find_labels(tags(**given)) == sorted(given)

    @pytest.mark.parametrize(
        ("given", "labels"),
        [
            ({"0": 50, "0.0": 3, "1": 60, "1.0": 90}, ["0", "1.0"]),
            ({"True": 50, "FALSE": 60, "true": 2, "false": 30}, ["FALSE", "True"]),
            ({"01": 50, "1": 60, "1e0": 40, "1_0": 40, "10": 40}, ["01", "1", "10", "1_0", "1e0"]),
        ],
    )
    def test_spellings_of_one_value_are_one_label(
        self, given: dict[str, int], labels: list[str]
    ) -> None:
        assert find_labels(tags(**given)) == labels

    @pytest.mark.fault("set", "tags that are measurements", "one line: tags are classes")
    @pytest.mark.parametrize(
        "given",
        [
            {f"{number / 1000:.3f}": 1 for number in range(120)},
            {f"{number / 100}": 30 for number in range(100)},  # no tag is of few posts
            {"-0.5": 1, "0.246": 1, "1": 1},
        ],
    )
    def test_numbers_are_no_classes(self, given: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=r"the tags are numbers, such as .*tags are classes"):
            find_labels(tags(**given))

    @pytest.mark.parametrize("given", [("0.5", "1.0", "1.5"), ("1.0", "2.0"), ("-1", "0", "1")])
    def test_a_few_numbers_of_many_posts_each_are_classes(self, given: tuple[str, ...]) -> None:
        assert find_labels(tags(**dict.fromkeys(given, 40))) == sorted(given)

    @pytest.mark.fault(
        "set", "labels of a table that look like slips", "one line with their counts"
    )
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (
                {"Happy": 30, "happy": 80, "sad": 90},
                "the tags 'Happy' (30 posts) and 'happy' (80 posts) are nearly equal",
            ),
            (
                {"very good": 30, "verygood": 80},
                "the tags 'very good' (30 posts) and 'verygood' (80 posts) are nearly equal",
            ),
            (
                {"positive": 80, "positve": 30},
                "the tags 'positve' (30 posts) and 'positive' (80 posts) are nearly equal",
            ),
            (
                {"neutral": 80, "neutrel": 30},
                "the tags 'neutrel' (30 posts) and 'neutral' (80 posts) are nearly equal",
            ),
            (
                {"bad": 500, "good": 510, "angry": 9},
                "the tag 'angry' is that of only 9 of 1,019 posts",
            ),
        ],
    )
    def test_what_looks_like_a_slip_is_an_error(self, given: dict[str, int], words: str) -> None:
        with pytest.raises(ValueError) as caught:
            find_labels(tags(**given))
        message = str(caught.value)
        assert message.startswith(words)
        assert message.endswith(f"such as ingestion.labels=[{','.join(sorted(given))}]")

    @pytest.mark.parametrize(
        ("rarer", "other"), [("positive\u200b", "positive"), ("cafe\u0301", "caf\u00e9")]
    )
    def test_labels_that_look_the_same_are_an_error(self, rarer: str, other: str) -> None:
        with pytest.raises(ValueError, match=r"\(80 posts\) are nearly equal"):
            find_labels(tags(**{other: 80, rarer: 30, "bad": 50}))

    def test_labels_with_commas_are_quoted_in_the_example(self) -> None:
        with pytest.raises(ValueError, match=r"ingestion.labels=\['a, b',godd,good\]$"):
            find_labels(tags(**{"a, b": 30, "good": 30, "godd": 30}))

    @pytest.mark.fault("set", "texts in the place of labels", "one line that asks for the column")
    def test_a_column_of_texts_is_no_column_of_labels(self) -> None:
        given = pd.Series([f"what I said on day {number}" for number in range(2000)])
        with pytest.raises(ValueError, match=r"and 1,997 more: .*name that in columns.tag"):
            find_labels(given)


class TestNamedByTheUser:
    @pytest.mark.parametrize(
        ("named", "present", "labels"),
        [
            (["sad", "happy"], ["happy", "sad"], ["sad", "happy"]),
            ([0, 1], ["1", "0", ""], ["0", "1"]),
            ([True, False], ["no", "yes"], ["yes", "no"]),
            ([True, False], ["false", "true"], ["true", "false"]),
            ([True, False], ["True", "False"], ["True", "False"]),
            ([0.5, 1], ["0.5", "1"], ["0.5", "1"]),
            ([1, 2], ["01", "02"], ["01", "02"]),
            ([True, False], ["TRUE", "true", "TRUE", "false"], ["TRUE", "false"]),
            ([True, False], ["[", ""], ["True", "False"]),
        ],
    )
    def test_yaml_values_stand_for_the_tags_as_they_are_spelt(self, named, present, labels) -> None:
        assert spell_labels(named, present) == labels

    @pytest.mark.fault("set", "yes, named as a label, beside true", "one line: quote the label")
    def test_what_may_stand_for_several_tags_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="True may stand for 'true' and 'yes': put quotes"):
            spell_labels([True, False], ["yes", "true", "no"])
