"""Whatever is wrong with a post, it has its row and a prediction from what is left of it.

One folder holds every fault, beside sound posts. It is trained on and predicted for once, by the
commands, and each fault is then looked up in what came out.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from multimodal_sentiment.posts.problems import read_problems

from ..commands import QUICK, SMALL_IMAGES, kedro, params
from . import injection

LABELS = ["negative", "neutral", "positive"]
LONGEST_NAME = 200  # bytes that a file's name may have, and a little less


def sound_text(guid: str) -> str:
    return f"a sound text, that of {guid}"


class Post(NamedTuple):
    """What came out for one post."""

    row: dict[str, str]
    prediction: dict[str, str]
    submitted: str


class Outcome(NamedTuple):
    """What came out for all."""

    data: Path
    posts: dict[str, Post]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    place = tmp_path_factory.mktemp("faults")
    files = place / "raw" / "data"
    files.mkdir(parents=True)
    (place / "raw" / "secret.txt").write_text(injection.OUTSIDE)
    (place / "raw" / "secret.jpg").write_bytes(injection.photo(0))
    guids: list[str] = []

    def add(guid: str, text: Any = None, image: Any = None) -> None:
        """A post, sound where no fault is given."""
        guids.append(guid)
        if guid not in (".", "..") and "/" not in guid and len(guid) < LONGEST_NAME:
            text = text or injection.same(sound_text(guid))
            image = image or injection.some(injection.photo(len(guids)))
            injection.put(files, guid, text, image)

    for number in range(30):
        add(f"sound {number}")
    for name, fault in injection.TEXTS.items():
        add(f"text, {name}".replace("/", "|"), text=fault)
    for name, fault in injection.IMAGES.items():
        add(f"image, {name}", image=fault)
    add("neither", injection.TEXTS["missing"], injection.IMAGES["missing"])
    for guid in injection.GUIDS:
        add(guid)
    for listing in ("train.txt", "test_without_label.txt"):
        with (place / "raw" / listing).open("w", encoding="utf-8", newline="") as file:
            rows = [(guid, LABELS[n % 3]) for n, guid in enumerate(guids)]
            csv.writer(file).writerows([("guid", "tag"), *rows])
    data = place / "data"
    where = {"raw": place / "raw", "data": data}
    done = kedro("run", "--env=scratch", "--params", params(where | QUICK | SMALL_IMAGES))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    posts = _rows(data / "02_intermediate/labelled/posts.csv")
    assert posts.keys() == set(guids)
    trained, judged = (
        _rows(data / f"05_model_input/{part}_posts.csv") for part in ("train", "validation")
    )
    texts = {guid: row["text"] for guid, row in posts.items()}
    again = _rows(data / "02_intermediate/unlabelled/posts.csv")
    for copy in (trained | judged, again):
        assert {guid: row["text"] for guid, row in copy.items()} == texts
    assert not trained.keys() & judged.keys()
    predictions = _rows(data / "07_model_output/unlabelled/predictions.csv")
    submitted = _rows(data / "07_model_output/submission.txt")
    assert list(submitted) == list(predictions) == guids
    return Outcome(
        data,
        {g: Post(posts[g], predictions[g], submitted[g]["tag"]) for g in guids},
    )


def _rows(path: Path) -> dict[str, dict[str, str]]:
    """The newest version's rows by guid, read by Python's own csv."""
    newest = max(path.iterdir()) / path.name if path.is_dir() else path
    csv.field_size_limit(2**24)
    with newest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["guid"] for row in rows}) == len(rows)
    return {row["guid"]: row for row in rows}


def assert_answered(post: Post) -> None:
    """It has a prediction, whose probabilities are some."""
    assert post.prediction["predicted"] in LABELS
    assert post.submitted == post.prediction["predicted"]
    shares = [float(post.prediction[f"p_{label}"]) for label in LABELS]
    assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert float(post.prediction["confidence"]) == pytest.approx(max(shares), abs=1e-6)


def assert_problem(post: Post, problem: str | None) -> None:
    codes = read_problems(post.prediction["problems"])
    assert "noted" not in [each.code for each in codes]
    found = "; ".join(each.words for each in codes)
    if problem:
        assert problem in found
    elif problem is None:
        assert found


@pytest.mark.fault("text", "a text that is missing, odd or broken", "its row, its very text")
@pytest.mark.parametrize("name", injection.TEXTS)
def test_whatever_the_text_is_the_post_has_its_row_and_answer(outcome: Outcome, name: str) -> None:
    fault = injection.TEXTS[name]
    post = outcome.posts[f"text, {name}".replace("/", "|")]
    if fault.reads is not None:
        assert post.row["text"] == fault.reads
    assert injection.OUTSIDE not in post.row["text"]
    assert_problem(post, fault.problem)
    assert_answered(post)


@pytest.mark.fault("image", "an image that is missing, odd or broken", "its row, what can be seen")
@pytest.mark.parametrize("name", injection.IMAGES)
def test_whatever_the_image_is_the_post_has_its_row_and_answer(outcome: Outcome, name: str) -> None:
    fault = injection.IMAGES[name]
    post = outcome.posts[f"image, {name}"]
    assert post.row["text"] == sound_text(f"image, {name}")
    assert_problem(post, fault.problem)
    codes = {each.code for each in read_problems(post.prediction["problems"])}
    missing = codes & {"no_image", "image_broken", "image_too_large", "image_irregular"}
    missing |= codes & {"image_outside", "image_link_broken"}
    assert bool(missing) != fault.reads
    assert_answered(post)


@pytest.mark.fault("listing", "a guid that looks like something else", "its row, under its name")
@pytest.mark.parametrize("guid", injection.GUIDS, ids=lambda guid: ascii(guid)[1:-1][:20])
def test_whatever_the_guid_is_the_post_has_its_row_and_answer(outcome: Outcome, guid: str) -> None:
    post = outcome.posts[guid]
    assert injection.OUTSIDE not in post.row["text"]
    if post.row["text"]:
        assert post.row["text"] == sound_text(guid)
    else:
        assert post.prediction["problems"] == "no_text; no_image"
    assert_answered(post)


@pytest.mark.fault("set", "neither text nor image", "its row and an answer")
def test_a_post_of_which_nothing_is_there_is_answered(outcome: Outcome) -> None:
    assert outcome.posts["neither"].prediction["problems"] == "no_text; no_image"
    assert_answered(outcome.posts["neither"])


@pytest.mark.fault("hostile", "HTML in posts and guids", "none of it in any figure or page")
def test_no_figure_and_no_page_holds_markup_of_a_post(outcome: Outcome) -> None:
    figures = [path for path in (outcome.data / "08_reporting").rglob("*.json") if path.is_file()]
    figures = [path for path in figures if "data" in json.loads(path.read_text(encoding="utf-8"))]
    assert len(figures) > 8
    for path in figures:
        content = path.read_text(encoding="utf-8")
        assert "<script>" not in content and "<b>bold" not in content
    pages = [path for path in outcome.data.rglob("*.html") if path.is_file()]
    assert pages
    for page in pages:
        content = page.read_text(encoding="utf-8")
        assert "<script>alert(1)" not in content and "<b>bold" not in content


@pytest.mark.fault("listing", "every fault there is, in one folder", "frames that pandas reads")
def test_what_pandas_reads_is_what_was_written(outcome: Outcome) -> None:
    path = outcome.data / "02_intermediate/labelled/posts.csv"
    frame = pd.read_csv(
        max(path.iterdir()) / path.name, dtype=str, keep_default_na=False, engine="python"
    )
    assert frame["guid"].tolist() == list(outcome.posts)
    assert frame["text"].tolist() == [post.row["text"] for post in outcome.posts.values()]
