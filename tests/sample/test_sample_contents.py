import re
from collections import Counter, defaultdict

import pytest

from multimodal_sentiment.sample import plan

NOT_SEEN = "?"
TAGS = {
    ("positive", "positive"): "positive",
    ("positive", "neutral"): "positive",
    ("neutral", "positive"): "positive",
    ("negative", "negative"): "negative",
    ("negative", "neutral"): "negative",
    ("neutral", "negative"): "negative",
    ("neutral", "neutral"): "neutral",
}
# What English posts say in judgement, hashtags included.
WORDS = {
    "positive": [
        "love", "wonderful", "best day ever", "beautiful",
        "so happy", "what a joy", "lovely", "#blessed", "#joy", "#grateful",
    ],
    "negative": [
        "hate", "awful", "worst day ever", "terrible",
        "so sad", "what a disaster", "disgusting", "#heartbroken", "#fail", "#ugh",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def posts():
    return list(plan(400, 80, 0))


@pytest.fixture(scope="module")
def labelled(posts):
    return [post for post in posts if post.labelled]


def normalised(text):
    """The text without what changes when it is passed on."""
    text = re.sub(r"^RT @\w+:|https?://\S+|@\w+", " ", text)
    return " ".join(text.casefold().split())


def seen_text(post):
    return NOT_SEEN if post.fault == "empty text" else post.says


def seen_image(post):
    return NOT_SEEN if post.fault in {"no image", "broken image"} else post.shows


def best_accuracy(posts, seen):
    """Of whoever knows `seen` of every post and, for each value of it, the commonest tag."""
    tags = defaultdict(Counter)
    for post in posts:
        tags[seen(post)][post.tag] += 1
    return sum(max(counts.values()) for counts in tags.values()) / len(posts)


def test_a_neutral_judgement_gives_way_to_the_other_and_none_contradict(posts):
    assert {(post.says, post.shows): post.tag for post in posts} == TAGS


def test_shares_are_met_exactly(labelled):
    assert Counter((post.says, post.shows) for post in labelled) == {
        ("positive", "positive"): 44,
        ("positive", "neutral"): 60,
        ("neutral", "positive"): 60,
        ("negative", "negative"): 36,
        ("negative", "neutral"): 40,
        ("neutral", "negative"): 40,
        ("neutral", "neutral"): 120,
    }
    tags = Counter(post.tag for post in labelled)
    assert tags == {"positive": 164, "negative": 116, "neutral": 120}


def test_neither_text_nor_image_alone_suffices_but_both_do(labelled):
    assert best_accuracy(labelled, seen_text) <= 0.76
    assert best_accuracy(labelled, seen_image) <= 0.76
    assert best_accuracy(labelled, lambda post: (seen_text(post), seen_image(post))) >= 0.97


def test_how_a_post_is_written_tells_little_of_its_tag(labelled):
    # Always saying "positive" is right in 41% of the posts.
    assert best_accuracy(labelled, lambda post: post.language) <= 0.50
    assert best_accuracy(labelled, lambda post: (post.language, post.encoding)) <= 0.52


def test_texts_that_are_not_ascii_are_gb18030_for_the_most_part(labelled):
    encodings = Counter(post.encoding for post in labelled)
    assert encodings["ascii"] > 200
    assert encodings["gb18030"] > (400 - encodings["ascii"]) / 2
    assert min(encodings[name] for name in ("utf-8", "cp1252", "cp932")) >= 3


def test_texts_are_ascii_exactly_where_planned_and_survive_their_encoding(posts):
    for post in posts:
        assert post.text.isascii() == (post.encoding == "ascii") or not post.text
        assert post.text.encode(post.encoding).decode(post.encoding) == post.text


def test_words_that_judge_recur(labelled):
    words = Counter(
        word
        for post in labelled
        if post.says != "neutral" and post.language == "en"
        for word in set(post.text.lower().split())
    )
    for word in ("love", "wonderful", "beautiful", "hate", "awful", "terrible", "#joy", "#fail"):
        assert words[word] >= 8, word


def test_phrases_are_the_words_that_judge_and_all_of_them(posts):
    assert {len(post.phrases) for post in posts} == {0, 3}
    for post in posts:
        assert bool(post.phrases) == (post.says != "neutral" and post.fault != "empty text")
        said = [post.text[start:end] for start, end in post.phrases]
        assert all(said) and "[" not in post.text and "]" not in post.text
        if post.language == "en" and said:
            assert set(said) <= set(WORDS[post.says])
        elif post.says == "neutral":
            assert not any(word in post.text for words in WORDS.values() for word in words)
    japanese = {
        post.text[slice(*post.phrases[0])]
        for post in posts
        if post.phrases and post.language == "ja"
    }
    assert japanese <= {"大好き", "素晴らしい", "大嫌い", "ひどい"} and japanese


def test_only_twins_say_the_same(posts):
    alike = defaultdict(list)
    for post in posts:
        if post.text:
            alike[normalised(post.text)].append(post)
    twins = [group for group in alike.values() if len(group) > 1]
    assert 6 <= len(twins) <= 14
    assert all(len({(post.says, post.shows) for post in group}) == 1 for group in twins)


def test_texts_stay_apart_in_large_samples():
    texts = Counter(normalised(post.text) for post in plan(10_000, 0, 0) if post.text)
    assert sum(count - 1 for count in texts.values()) <= 10_000 // 33  # the planned twins


def test_photos_are_shared_by_twins_alone_some_across_the_listings(posts):
    sharing = defaultdict(list)
    for post in posts:
        sharing[post.photo].append(post)
    twins = [group for group in sharing.values() if len(group) > 1]
    assert 6 <= len(twins) <= 14
    assert all(len({(post.says, post.shows) for post in group}) == 1 for group in twins)
    assert {len({post.labelled for post in group}) for group in twins} == {1, 2}


def test_a_few_posts_are_faulty(posts):
    assert Counter((post.labelled, post.fault) for post in posts if post.fault) == {
        (True, "no image"): 2,
        (True, "broken image"): 2,
        (True, "empty text"): 2,
        (False, "no image"): 1,
        (False, "broken image"): 1,
        (False, "empty text"): 1,
    }


def test_guids_are_distinct_unordered_and_with_gaps(posts):
    guids = [int(post.guid) for post in posts]
    assert len(set(guids)) == len(guids) < max(guids)
    assert guids != sorted(guids)


def test_the_seed_decides(posts):
    assert list(plan(400, 80, 0)) == posts
    assert list(plan(400, 80, 1)) != posts


@pytest.mark.parametrize(("labelled", "unlabelled"), [(0, 0), (0, 7), (5, 0), (1, 1)])
def test_small_samples_have_the_posts_asked_for(labelled, unlabelled):
    posts = list(plan(labelled, unlabelled, 3))
    assert [post.labelled for post in posts] == [True] * labelled + [False] * unlabelled
