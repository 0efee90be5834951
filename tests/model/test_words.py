from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from multimodal_sentiment.learning.linear_heads.solve import weigh_terms
from multimodal_sentiment.model.text import clean_text
from multimodal_sentiment.model.words import (
    WORD,
    Vocabulary,
    WordHead,
    count_terms,
    learn_idf,
    learn_vocabulary,
)

KNOWN = [
    "So happy today, so happy! http://a.b/c",
    "happy, HAPPY, happy birthday @anna",
    "A sad, sad day. http://d.e",
    "I am not happy: sad news @bert @carl",
    "今日は楽しい",
    "今日は悲しい happy",
    "今日 そう",
    "हिन्दी में happy news",
    "สวัสดี สวัส",
    "สวัสดี",
    "ไม่สวัสดี",
    "",
]
ASKED = [*KNOWN, "happy sad http://new.url @dora today", "今日は", "nothing known", "Happy-happy"]


def learn(texts, min_posts=3):
    terms = learn_vocabulary(texts, range(len(texts)), min_posts)
    vocabulary = Vocabulary(terms, "NFKC")
    return vocabulary, learn_idf(*count_terms(vocabulary, texts), len(vocabulary))


@pytest.mark.parametrize("min_posts", [1, 2, 3])
def test_agrees_with_scikit_learn(min_posts):
    vocabulary, idf = learn(KNOWN, min_posts)
    reference = TfidfVectorizer(
        preprocessor=lambda text: clean_text(text).lower(),
        token_pattern=WORD,
        ngram_range=(1, 2),
        min_df=min_posts,
        sublinear_tf=True,
    ).fit(KNOWN)

    assert list(vocabulary) == list(reference.get_feature_names_out())
    np.testing.assert_allclose(idf, reference.idf_, rtol=1e-12)
    np.testing.assert_allclose(
        weigh_terms(*count_terms(vocabulary, ASKED), idf).toarray(),
        reference.transform(ASKED).toarray(),
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("So HAPPY", ["happy", "so", "so happy"]),
        ("I a b am", ["am"]),
        ("http://a.b/c @anna!", ["http", "http user", "user"]),
        ("今日は", ["は", "今", "今 日", "日", "日 は"]),
        ("हिन्दी", ["हिन्दी"]),
        ("cafe\u0301", ["caf\u00e9"]),
        (
            "\uff27\uff4f\uff4f\uff44 \U0001d5e7\U0001d5f5\U0001d5f6\U0001d5fb\U0001d5f4",
            ["good", "good thing", "thing"],
        ),
        ("\ufb01ne \uff76\uff9e", ["fine", "fine \u30ac", "\u30ac"]),
        ("\uff20anna", ["user"]),  # a user, who is not to be named
        ("?? 🙂 ...", []),
    ],
)
def test_words_of_many_scripts(text, terms):
    assert learn_vocabulary([text], [0], 1) == terms


def test_models_of_before_count_words_as_they_are_written():
    indices, counts = count_terms(
        Vocabulary(["good", "cafe\u0301"], None), ["\uff27ood", "cafe\u0301"]
    )

    assert [indices[row][counts[row] > 0].tolist() for row in (0, 1)] == [[], [1]]


def test_words_of_fewer_posts_are_left_out_however_often_a_post_says_them():
    texts = ["secret secret secret common", "secret common", "common"]

    assert learn_vocabulary(texts, range(len(texts)), 3) == ["common"]


def test_copies_of_a_post_make_its_words_no_commoner():
    texts = ["secret card", "secret card", "secret card", "a card", "no card"]

    assert learn_vocabulary(texts, [7, 7, 7, 8, 9], 3) == ["card"]


def test_weights_by_hand():
    vocabulary, idf = learn(["aa aa bb", "bb", "cc"], 1)
    counted = weigh_terms(*count_terms(vocabulary, ["aa aa bb"]), idf).toarray()[0]

    assert idf[vocabulary["bb"]] == pytest.approx(np.log(4 / 3) + 1)
    rare = np.log(4 / 2) + 1
    expected = {"aa": (1 + np.log(2)) * rare, "aa aa": rare, "aa bb": rare, "bb": np.log(4 / 3) + 1}
    length = np.sqrt(sum(value**2 for value in expected.values()))
    for term, value in expected.items():
        assert counted[vocabulary[term]] == pytest.approx(value / length)
    assert counted[vocabulary["cc"]] == 0


@pytest.fixture
def head_and_logits():
    """A head of drawn weights, and its logits for `ASKED` by way of a matrix product."""
    vocabulary, idf = learn(KNOWN)
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(3, len(vocabulary))), rng.normal(size=3)
    head = WordHead(len(vocabulary), 3)
    head.load_solution(idf, weights, bias)
    counted = weigh_terms(*count_terms(vocabulary, ASKED), idf)
    return vocabulary, head, counted @ weights.T + bias


def test_the_head_multiplies_what_it_was_solved_on(head_and_logits):
    vocabulary, head, expected = head_and_logits

    indices, counts = map(torch.from_numpy, count_terms(vocabulary, ASKED))

    np.testing.assert_allclose(head(indices, counts).detach(), expected, atol=1e-6)


def test_a_text_gets_the_same_logits_alone_and_in_a_batch(head_and_logits):
    vocabulary, head, expected = head_and_logits

    for text, logits in zip(ASKED, expected, strict=True):
        indices, counts = map(torch.from_numpy, count_terms(vocabulary, [text]))
        np.testing.assert_allclose(head(indices, counts).detach(), [logits], atol=1e-6)


def test_a_text_without_known_words_gets_the_bias(head_and_logits):
    vocabulary, head, _ = head_and_logits

    indices, counts = map(torch.from_numpy, count_terms(vocabulary, ["nothing known", ""]))

    assert torch.equal(head(indices, counts), head.bias.expand(2, 3))


def test_the_head_exports_with_any_batch_and_length(head_and_logits):
    vocabulary, head, _ = head_and_logits
    batch = tuple(map(torch.from_numpy, count_terms(vocabulary, ASKED)))
    free = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("terms", min=1)}

    program = torch.export.export(head, batch, dynamic_shapes=(free, free)).module()

    other = tuple(map(torch.from_numpy, count_terms(vocabulary, ASKED[:5])))
    torch.testing.assert_close(program(*other), head(*other))
