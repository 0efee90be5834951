from __future__ import annotations

import io
import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import ClassLabel, Dataset, Features, Value
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score

import multimodal_sentiment
from multimodal_sentiment import ClassifierError, load_classifier
from multimodal_sentiment.classifier import predictor
from multimodal_sentiment.classifier.inputs import read_tags
from multimodal_sentiment.datasets.promotion import promote
from multimodal_sentiment.posts.imaging import decode_image
from multimodal_sentiment.predicting import predict_examples

from ..small_model import LABELS, TEXTS, photo
from .conftest import NEWER, OLDER


def test_it_answers_as_the_pipeline_does(folder, model, photos, make_examples, tiny):
    parameters = tiny()
    bounds = parameters.preparation.model_dump(exclude={"storage"})
    pictures = [decode_image(path.read_bytes(), **bounds).pixels for path in photos]
    pictures[1] = None
    examples = make_examples(TEXTS, ["good"] * 4, pictures)
    expected = predict_examples(model, examples, np.arange(4), parameters.compute)

    answers = load_classifier(folder, "cpu", "fp32").predict(
        texts=TEXTS, images=[photos[0], None, str(photos[2]), photos[3].read_bytes()]
    )

    columns = ["predicted", "confidence", "p_bad", "p_good"]
    shares = ["decided_by", "text_contribution", "image_contribution"]
    assert list(answers) == [*columns, "problems", *shares]
    pd.testing.assert_frame_equal(
        answers[columns + shares], expected[columns + shares], atol=1e-5, rtol=0
    )
    assert list(answers["problems"]) == ["", "no image", "empty text", ""]


def test_prepared_and_answered_is_predicted(folder, photos):
    classifier = load_classifier(folder, "cpu", "fp32")
    images = [photos[0].read_bytes(), None, b"no image", photos[3].read_bytes()]

    prepared = [classifier.prepare(*pair) for pair in zip(TEXTS, images, strict=True)]

    expected = classifier.predict(TEXTS, images, problems="codes")
    pd.testing.assert_frame_equal(classifier.answer(prepared, "codes"), expected)


def test_a_model_of_one_modality_has_nothing_to_share_out(make_model):
    answers = load_classifier(make_model(model__modality="text"), "cpu").predict(TEXTS)

    assert list(answers) == ["predicted", "confidence", "p_bad", "p_good", "problems"]


@pytest.mark.parametrize(
    ("modality", "problems"),
    [("text", ["", "empty text"]), ("image", ["image broken", "no image"])],
)
def test_what_a_model_does_not_read_is_no_problem(make_model, modality, problems):
    classifier = load_classifier(make_model(model__modality=modality), "cpu")

    answers = classifier.predict(["fine", ""], [b"no image", None])
    explained = classifier.explain_many(["fine", ""], [b"no image", None])

    assert [said.partition(":")[0] for said in answers["problems"]] == problems
    assert [each.problems for each in explained] == list(answers["problems"])


def test_one_modality_of_the_posts_is_enough(folder, photos):
    classifier = load_classifier(folder, "cpu")

    assert list(classifier.predict(texts=["fine"])["problems"]) == ["no image"]
    assert list(classifier.predict(images=[photos[0]])["problems"]) == ["no text"]
    assert classifier.predict([None], problems="codes")["problems"].item() == "no_text; no_image"
    assert classifier.labels == LABELS


@pytest.mark.parametrize("address", ["", f"{OLDER}", f"{OLDER}/fusion_model"])
def test_any_of_its_folders_is_its_address(folder, address):
    classifier = load_classifier(folder / address, "cpu")

    assert classifier.version == (OLDER if address else NEWER)


def test_the_promoted_version_answers(folder):
    promote(folder, OLDER)
    assert load_classifier(folder).version == OLDER

    promote(folder, None)
    assert load_classifier(folder).version == NEWER


def test_it_can_be_saved_copied_and_sent(folder, tmp_path):
    classifier = load_classifier(folder, "cpu", "fp32")
    expected = classifier.predict(TEXTS)

    classifier.save_pretrained(tmp_path / "saved" / "here")
    sent = pickle.loads(pickle.dumps(classifier))  # noqa: S301 - our own

    for again in (load_classifier(tmp_path / "saved" / "here", "cpu", "fp32"), sent):
        pd.testing.assert_frame_equal(again.predict(TEXTS), expected)
    weights = tmp_path / "saved" / "here" / "model.safetensors"
    (tmp_path / "any").touch()
    assert weights.stat().st_mode == (tmp_path / "any").stat().st_mode
    assert not list((tmp_path / "saved" / "here").glob(".*"))


def test_what_a_model_saved_over_another_lacks_is_not_the_other_ones(folder, tmp_path):
    classifier = load_classifier(folder, "cpu", "fp32")
    classifier.save_pretrained(tmp_path)
    (tmp_path / "learnt_posts.npy").write_bytes(b"of another model")
    (tmp_path / "notes.txt").touch()

    classifier.save_pretrained(tmp_path)

    assert not (tmp_path / "learnt_posts.npy").exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_model_replaces_one_that_was_left_half_saved(classifier, tmp_path, monkeypatch):
    replaced = []

    def fail_after_one(source, target):
        if replaced:
            raise KeyboardInterrupt
        replaced.append(source)
        os.rename(source, target)

    monkeypatch.setattr("multimodal_sentiment.classifier.saving.os.replace", fail_after_one)
    with pytest.raises(KeyboardInterrupt):
        classifier.save_pretrained(tmp_path)
    monkeypatch.undo()

    classifier.save_pretrained(tmp_path)

    assert load_classifier(tmp_path).labels == classifier.labels


def test_a_model_replaces_no_files_of_ones_own(classifier, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name, content in {"README.md": "mine", "config.json": '{"model_type": "bert"}'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(content)

    for place, words in {
        "file": "is no folder: name one",
        "file/within": "no model can be written to .*: Not a directory",
        "link": "no model can be written to .*: File exists",
        "README.md": "holds README.md, and no model of this project",
        "config.json": "holds config.json, and no model of this project",
    }.items():
        with pytest.raises(ClassifierError, match=words) as caught:
            classifier.save_pretrained(tmp_path / place)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "README.md").iterdir()] == ["README.md"]
    assert (tmp_path / "README.md" / "README.md").read_text() == "mine"


def test_it_answers_after_a_fork(folder):
    """Also where the parent had computed with several threads, which are gone in the child."""
    former = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        classifier = load_classifier(folder, "cpu", "fp32")
        images = [photo(seed, 200, 300) for seed in range(40)]
        expected = classifier.predict(images=images)["p_good"]
        with multiprocessing.get_context("fork").Pool(1) as pool:
            answered = pool.apply_async(answer, (classifier, images)).get(timeout=60)
    finally:
        torch.set_num_threads(former)

    np.testing.assert_allclose(answered, expected, atol=1e-5)


def answer(classifier, images):
    return classifier.predict(images=images)["p_good"].tolist()


def test_threads_take_turns(folder, photos):
    classifier = load_classifier(folder, "cpu", "fp32")
    texts = [f"{text} {'again ' * number}" for number in range(8) for text in TEXTS]
    images = photos * 8
    expected = classifier.predict(texts, images)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: classifier.predict(texts, images), range(12)))

    for table in answers:
        pd.testing.assert_frame_equal(table, expected, atol=1e-5)


def test_many_posts_are_answered_a_part_at_a_time(folder, monkeypatch):
    classifier = load_classifier(folder, "cpu", "fp32")
    texts = [f"day {number}" for number in range(25)]
    whole = classifier.predict(texts)
    monkeypatch.setattr(predictor, "POSTS_AT_ONCE", 4)
    taken, ahead = [], []
    answered = predictor.Classifier.answer

    def answer(self, posts, problems):
        ahead.append(len(taken))
        return answered(self, posts, problems)

    monkeypatch.setattr(predictor.Classifier, "answer", answer)
    monkeypatch.setattr(multimodal_sentiment.cluster.threads, "AHEAD", 4)
    monkeypatch.setattr(multimodal_sentiment.cluster.threads, "AHEAD_PER_THREAD", 0)

    parts = classifier.predict(taken.append(text) or text for text in texts)

    pd.testing.assert_frame_equal(parts, whole, atol=1e-5)
    assert max(b - a for a, b in pairwise(ahead)) <= 8  # 4 asked for, 4 ahead


def test_a_pillow_image_is_seen_upright_as_its_file_is(folder):
    classifier = load_classifier(folder, "cpu")
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees
    buffer = io.BytesIO()
    photo(0, 300, 400).save(buffer, "PNG", exif=exif)

    from_image, from_bytes, unturned = classifier.predict(
        images=[Image.open(buffer), buffer.getvalue(), photo(0, 300, 400)]
    )["p_good"]

    assert from_image == from_bytes
    assert from_image != unturned


@pytest.mark.parametrize(
    ("address", "options", "words"),
    [
        ("/nope", {}, "no model in /nope: name the folder that holds its config.json"),
        (5, {}, "int is no model"),
        (None, {"device": "gpu"}, "device 'gpu': choose one of auto, cpu, cuda, mps"),
        (None, {"device": "mps"}, "device: no mps on this machine"),
        (None, {"precision": "fp8"}, "precision 'fp8': choose one of auto, fp32, bf16"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(model, address, options, words):
    with pytest.raises(ClassifierError) as caught:
        load_classifier(address or model, **options)

    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_model_saved_without_what_it_needs_is_explained(model, tmp_path):
    model.model.save_pretrained(tmp_path)

    with pytest.raises(ClassifierError, match="write it with save_pretrained of what load_class"):
        load_classifier(tmp_path)


def test_the_package_names_its_classes():
    assert multimodal_sentiment.Classifier is predictor.Classifier
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        multimodal_sentiment.nonsense  # noqa: B018


class TestEvaluating:
    TAGS = ("bad", "good", None, "good")

    def test_its_scores_are_those_of_scikit_learn(self, folder, photos):
        classifier = load_classifier(folder, "cpu", "fp32")
        predicted = classifier.predict(TEXTS, photos)["predicted"][[0, 1, 3]]
        true = ["bad", "good", "good"]

        scores = classifier.evaluate(TEXTS, photos, self.TAGS)

        assert scores["n"] == 3
        assert scores["accuracy"] == pytest.approx(accuracy_score(true, predicted))
        assert scores["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
        low, high = scores["intervals"]["accuracy"]
        assert low <= scores["accuracy"] <= high

    def test_tags_stand_in_a_column_of_a_frame(self, folder):
        classifier = load_classifier(folder, "cpu", "fp32")
        frame = pd.DataFrame({"text": TEXTS, "mood": self.TAGS, "tag": ["good"] * 4})

        assert classifier.evaluate(frame, tags="mood") == classifier.evaluate(TEXTS, tags=self.TAGS)
        assert classifier.evaluate(frame)["n"] == 4

    def test_tags_of_other_rows_are_refused(self, folder):
        classifier = load_classifier(folder, "cpu", "fp32")
        frame = pd.DataFrame({"text": TEXTS, "mood": self.TAGS})
        shuffled = frame.iloc[[2, 0, 3, 1]]
        expected = classifier.evaluate(frame, tags="mood")["accuracy"]

        with pytest.raises(
            ClassifierError, match="texts, images and tags have different indexes: align"
        ):
            classifier.evaluate(shuffled, tags=frame["mood"])
        assert classifier.evaluate(shuffled, tags=shuffled["mood"])["accuracy"] == expected
        listed = list(shuffled["text"])  # which are paired by position, as ever
        assert classifier.evaluate(listed, tags=shuffled["mood"])["accuracy"] == expected

    def test_tags_are_read_as_training_reads_them(self, folder):
        classifier = load_classifier(folder, "cpu", "fp32")
        expected = classifier.evaluate(TEXTS, tags=self.TAGS)
        words = ["bad", "good", "null", "good"]  # a word for there being none

        assert classifier.evaluate(TEXTS, tags=words) == expected
        scalars = [np.str_("bad"), torch.tensor(1), np.True_, np.float32(1)]
        assert read_tags(scalars, ["bad", "1", "true"]) == ["bad", "1", "true", "1"]
        label = ClassLabel(names=sorted(classifier.labels))
        features = Features({"text": Value("string"), "tag": label})
        numbers = [tag and label.str2int(tag) for tag in self.TAGS]
        rows = {"text": list(TEXTS), "tag": [-1 if it is None else it for it in numbers]}
        assert classifier.evaluate(Dataset.from_dict(rows, features)) == expected

    @pytest.mark.parametrize(
        ("tags", "labels", "read"),
        [
            ([True, False], ["False", "True"], ["True", "False"]),  # learnt from CSV
            (["True", "FALSE"], ["false", "true"], ["true", "false"]),  # learnt from Parquet
            ([1, 2.0, "+1"], ["1.0", "2.0"], ["1.0", "2.0", "1.0"]),
            ([True, "true"], ["True", "true"], ["true", "true"]),  # those that are equal
        ],
    )
    def test_a_tag_is_the_label_of_its_value(self, tags, labels, read):
        assert read_tags(tags, labels) == read

    @pytest.mark.parametrize(("tag", "labels"), [(True, ["1", "0"]), ("1.0", ["1", "01", "+1"])])
    def test_a_tag_that_means_no_label_or_several_is_refused(self, tag, labels):
        with pytest.raises(ClassifierError, match="1 posts have tags that the model does not know"):
            read_tags([tag], labels)

    @pytest.mark.parametrize(
        ("tags", "words"),
        [
            (
                ["bad", "good", "angry", "sad"],
                "2 posts have tags that .* does not know, such as 'ang",
            ),
            (["bad"], "there are 4 posts and 1 tags"),
            ([["bad"], "bad", "bad", "bad"], "a post has one tag: list is no single value"),
            ([None] * 4, "no post has a tag to judge the answers by"),
            ("mood", "tags must be given, one a post, or .*: 'mood' is no column of the posts"),
        ],
    )
    def test_tags_that_cannot_judge_are_refused(self, folder, tags, words):
        with pytest.raises(ClassifierError, match=words):
            load_classifier(folder, "cpu", "fp32").evaluate(TEXTS, tags=tags)
