"""Training on a frame: no file of one's own, the same pipelines underneath."""

from __future__ import annotations

import io
import shutil
from contextlib import nullcontext

import datasets
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import ClassLabel, Dataset, Features, Value
from PIL import Image

from multimodal_sentiment import ClassifierError, load_classifier, train, training
from multimodal_sentiment.classifier import frames
from multimodal_sentiment.classifier.frames import write_posts
from multimodal_sentiment.runs.lock import locked

from .commands import PROJECT
from .pictures import patches

LABELS = ["0", "1", "2"]  # numbers are labels like any other
MOODS = ["calm", "cross", "merry"]
TINY = {
    "training.epochs": 1,
    "model": {"text": {"scratch": {"hidden_size": 16, "layers": 1, "heads": 2}}},
    "model.fusion.hidden_size": 16,
    "evaluation.bootstrap_samples": 100,
}


def picture(seed: int) -> Image.Image:
    return patches(seed, 96, 72)


@pytest.fixture(scope="module")
def frame(tmp_path_factory) -> pd.DataFrame:
    """Forty-eight posts; their images come in every form."""
    folder = tmp_path_factory.mktemp("photos")
    photos = []
    for number in range(48):
        image = picture(number)
        image.save(folder / f"{number}.png")
        file = folder / f"{number}.png"
        photos.append(
            [image, np.asarray(image), file, str(file), file.read_bytes(), None][number % 6]
        )
    guids = [f"post {n}" for n in range(48)]
    return pd.DataFrame(
        {
            "tweet": [f"a {MOODS[n % 3]} day, the {n}th" for n in range(48)],
            "photo": pd.Series(photos, guids, dtype=object),
            "mood": [n % 3 for n in range(48)],
            "part": ["train"] * 30 + ["dev"] * 9 + ["test"] * 9,
        },
        index=guids,
    )


@pytest.fixture(scope="module")
def trained(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return train(
        frame,
        text="tweet",
        image="photo",
        tag="mood",
        split="part",
        folder=folder,
        env="scratch",
        parameters=TINY,
    )


def test_it_is_trained_judged_and_reported_as_by_the_commands(trained):
    assert trained.labels == LABELS
    assert trained.metrics["n"] == 9
    assert trained.metrics["protocol"]["posts"] == {"training": 30, "validation": 9}
    assert trained.test_metrics["n"] == 9
    assert "9 test posts" in trained.report.read_text("utf-8")
    assert f"accuracy {trained.metrics['accuracy']:.3f}" in repr(trained)
    posts = pd.concat(map(pd.read_csv, trained.folder.glob("02_intermediate/*/posts.csv/*/*")))
    assert len(posts) == 48
    assert (posts["problems"] == "no_image").sum() == 8
    assert set(posts["guid"]) == {f"post {n}" for n in range(48)}


def test_it_answers_for_the_frame_and_like_the_model_that_was_written(trained, frame):
    answers = trained.predict(frame.head(6))
    assert answers.index.tolist() == frame.index[:6].tolist()
    assert answers["problems"].tolist() == ["", "", "", "", "", "no image"]
    written = load_classifier(trained.folder / "06_models" / "fusion_model")
    again = written.predict(frame["tweet"].head(6), frame["photo"].head(6))
    pd.testing.assert_frame_equal(answers, again)


def test_it_reads_in_this_process_whatever_it_was_trained_with(trained):
    assert trained._compute.workers == 0  # those of `load_classifier`, not of conf/base


def test_it_is_evaluated_on_the_columns_it_was_trained_on(trained, frame):
    tested = frame[frame["part"] == "test"]

    scores = trained.evaluate(tested)

    assert scores["n"] == 9  # whose tags are numbers
    assert scores["accuracy"] == pytest.approx(trained.test_metrics["accuracy"])
    assert scores == trained.evaluate(tested, tags=tested["mood"].astype(str))
    numbered = tested.rename(columns={"mood": 0})  # as columns of a file without a header are
    trained._columns["tag"], named = 0, trained._columns["tag"]
    try:
        assert scores == trained.evaluate(numbered)
    finally:
        trained._columns["tag"] = named


def test_texts_are_taken_from_a_frame_where_images_are_given_apart(trained, frame):
    posts = frame.head(6)
    whole, images = trained.predict(posts), posts["photo"]

    for given in (
        images,
        images.tolist(),
        posts[["photo"]],
        posts.rename(columns={"photo": "image"}),
    ):
        pd.testing.assert_frame_equal(trained.predict(posts, given), whole)
    assert trained.evaluate(posts, images.tolist()) == trained.evaluate(posts)
    assert trained.evaluate(posts, images, tags="mood") == trained.evaluate(posts)
    (explanation,) = trained.explain_many(posts.head(1), images.head(1))
    assert explanation.text == posts["tweet"].iloc[0]
    with pytest.raises(ClassifierError, match="texts is a frame without a column named tweet"):
        trained.predict(posts.drop(columns="tweet"), images)


def test_a_column_named_as_its_role_stands_in_for_one_that_was_trained_on(trained, frame):
    posts = frame.head(6)
    renamed = posts.rename(columns={"tweet": "text"})

    pd.testing.assert_frame_equal(trained.predict(renamed), trained.predict(posts))


def test_it_explains_the_columns_it_was_trained_on(trained, frame):
    posts = frame.iloc[[0]].assign(text="another")

    (explanation,) = trained.explain_many(posts)

    assert explanation.text == posts["tweet"].iloc[0]


@pytest.mark.parametrize("fault", [{"training.epoch": 1}, {"model_folder": "none"}, "in use"])
def test_a_refused_one_leaves_the_posts_of_the_former(trained, frame, fault):
    written = trained.folder / "01_raw" / "posts.parquet"
    before = written.read_bytes()
    others = frame.head(40)[["tweet", "mood"]]
    is_held = fault == "in use"
    with (
        locked(trained.folder) if is_held else nullcontext(),
        pytest.raises(ClassifierError, match="in use by" if is_held else next(iter(fault))),
    ):
        train(
            others,
            text="tweet",
            tag="mood",
            folder=trained.folder,
            env="scratch",
            parameters={} if is_held else fault,
        )
    assert written.read_bytes() == before


@pytest.mark.parametrize("env", ["local", "own"])
def test_what_the_configuration_says_of_files_is_not_said_of_a_frame(tmp_path, monkeypatch, env):
    conf = shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    own = {
        "columns": {"text": "caption", "tag": "mood"},
        "ingestion": {"layout": "course"},
        "corrections": "nowhere.csv",
        "model_folder": "nowhere",
    }
    scratch = yaml.safe_load((conf / "scratch" / "parameters.yml").read_text())
    (conf / env).mkdir(exist_ok=True)
    monkeypatch.setenv("KEDRO_ENV", env)
    (conf / env / "parameters.yml").write_text(yaml.safe_dump(scratch | own))
    places = {name: own[name] for name in ("corrections", "model_folder")}
    (conf / env / "globals.yml").write_text(yaml.safe_dump(places))
    monkeypatch.setattr(training, "own_configuration", lambda: conf)
    posts = pd.DataFrame({"caption": list("abcdef"), "mood": ["b"] * 6})
    parameters = {"model.modality": "text"}

    def refusal(**more):
        with pytest.raises(ClassifierError) as caught:
            train(posts, text="caption", tag="mood", folder=tmp_path, parameters=parameters | more)
        return str(caught.value)

    assert "every labelled post is tagged 'b'" in refusal()  # found when they have been read
    assert "other.csv" in refusal(corrections="other.csv")


def test_encoders_that_are_missing_are_fetched_into_a_folder_that_is_then_named(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    posts = pd.DataFrame({"text": ["a"], "tag": ["b"]})
    parameters = {"model.modality": "text", "model.text.encoder": "some/encoder"}

    with pytest.raises(ClassifierError) as caught:
        train(posts, parameters=parameters)

    assert (
        'run "kedro run --pipeline=encoders --params model.modality=text,'
        'model.text.encoder=some/encoder,data=FOLDER", or train'
    ) in str(caught.value)
    assert str(caught.value).endswith(': give train that folder, as in folder="FOLDER"')


def test_a_folder_is_only_advised_where_something_is_to_be_fetched_into_it(tmp_path, monkeypatch):
    (tmp_path / "a[1]").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "a[1]"))

    with pytest.raises(ClassifierError, match=r"a\[1\].*: choose another folder$"):
        train(pd.DataFrame({"text": ["a"], "tag": ["b"]}), env="scratch")


@pytest.mark.parametrize(
    ("parameters", "stays"),
    [
        ({"training.epoch": 1}, False),
        ({"model.text.encoder": "some/encoder"}, False),
        ({"model.text.encoder": None}, True),  # found when they have been read
    ],
)
def test_a_temporary_folder_stays_if_the_error_names_a_log_in_it(
    tmp_path, monkeypatch, parameters, stays
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # from here, the log is named by a relative path
    posts = pd.DataFrame({"text": list("abcdef"), "tag": ["b"] * 6})

    with pytest.raises(ClassifierError) as caught:
        train(posts, env="scratch", parameters={"model.modality": "text"} | parameters)

    made = list(tmp_path.glob("multimodal_sentiment-*"))
    assert len(made) == stays
    assert all(f"traceback in {folder.name}/runs/" in str(caught.value) for folder in made)


def test_posts_that_a_killed_one_had_put_aside_come_back(tmp_path):
    written, former = tmp_path / "posts.parquet", tmp_path / ".posts.parquet.former"
    former.write_text("of the model that is there")
    written.write_text("of the one that was killed")

    with pytest.raises(KeyError), training._former_kept(written):
        written.write_text("of this one")
        raise KeyError
    assert written.read_text() == "of the model that is there"
    assert not former.exists()


def test_a_second_one_in_the_same_process_goes_into_a_temporary_folder(
    frame, caplog, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    texts = frame[["tweet", "mood"]].set_axis([0, 1], axis=1)
    with caplog.at_level("INFO"):
        second = train(
            texts, text=0, tag=1, env="scratch", parameters={**TINY, "model.modality": "text"}
        )
    assert f"Posts, model and report go into {second.folder}" in caplog.text
    assert "Workflow tracking" not in caplog.text  # Kedro-Viz, of a run from Python
    assert second.folder.parent == tmp_path.resolve()
    assert second.report.is_file()
    assert second.test_metrics is None
    where = f"--env=scratch --params raw=NEW.csv,data={second.folder}"
    assert f"Next: kedro run --pipeline=inference {where}" in (
        caplog.text  # and not the frame's own file, in which each post has a tag
    )
    assert second.metrics["protocol"]["posts"]["training"] > 30
    assert len(second.predict(texts)) == 48


@pytest.mark.fault("set", "a frame that cannot be learnt from", "one line that says what to do")
@pytest.mark.parametrize(
    ("posts", "given", "words"),
    [
        (
            [{"text": "a", "tag": "b"}],
            {},
            "posts must be a frame of pandas, polars or Arrow, not list: pandas.DataFrame(posts) "
            "makes one",
        ),
        (
            pd.DataFrame({"id": [1, 1], "text": ["a", "b"], "tag": ["b", "c"]}),
            {},
            "different posts under one id, '1': give each its own, or name another column with gui",
        ),
        (pd.DataFrame({"x": ["a"]}), {}, "no column that is known to hold a text or an image"),
        (pd.DataFrame({"text": ["a"]}), {}, "name it, as in tag='NAME', among text"),
        (pd.DataFrame({"text": ["a"], "tag": ["b"]}), {"text": "t"}, "has no column 't'"),
        (
            pd.DataFrame({"text": ["a"], "tweet": ["b"], "tag": ["c"]}),
            {},
            "several columns that may hold the text, text, tweet: name one",
        ),
        (
            pd.DataFrame({"text": ["a"], "tag": ["b"]}),
            {"parameters": {"training.epoch": 1}},
            "unknown parameter training.epoch: did you mean training.epochs?",
        ),
        (
            pd.DataFrame({"text": ["a"], "tag": ["b"]}),
            {"parameters": {"training.epochs": 3, "training": {"epochs": 5}}},
            "parameters: training.epochs has two values, 3 and 5",
        ),
        (
            pd.DataFrame({"text": ["a"], "tag": ["b"]}),
            {"parameters": {"training": 5, "training.epochs": 3}},
            "parameters: training.epochs lies within training, which has a value already",
        ),
        (
            pd.DataFrame({"text": ["a"], "tag": ["b"]}),
            {"parameters": {"raw": "x"}},
            "parameters: raw is not set here",
        ),
        (
            pd.DataFrame({"text": list("abcdef"), "tag": ["b"] * 6}),
            {"parameters": {"ingestion.allow_missing": True}},
            "every labelled post is tagged 'b'",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_one_line(tmp_path, posts, given, words):
    with pytest.raises(ClassifierError) as caught:
        train(posts, folder=tmp_path, env="scratch", **given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


class TestWriting:
    @pytest.mark.parametrize("kind", [pd.DataFrame, polars.DataFrame, pa.table])
    def test_frames_of_every_kind_give_equal_posts(self, tmp_path, kind):
        posts = kind({"t": ["one", None], "label": [1, 0], "b": [True, False]})
        write_posts(posts, {"text": "t", "tag": "label", "split": "b"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet").to_pylist() == [
            {"guid": "0", "text": "one", "tag": "1", "split": "true"},
            {"guid": "1", "text": None, "tag": "0", "split": "false"},
        ]

    def test_whole_numbers_beside_gaps_are_whole(self, tmp_path):
        posts = pd.DataFrame({"t": ["one", "two"], "label": [1, np.nan]}, index=[7, 7])
        write_posts(posts, {"text": "t", "tag": "label"}, tmp_path / "p.parquet")
        table = pq.read_table(tmp_path / "p.parquet")
        assert table["tag"].to_pylist() == ["1", None]
        assert table["guid"].to_pylist() == ["0", "1"]

    @pytest.mark.parametrize(
        ("index", "guids"),
        [
            (["x", "y"], ["x", "y"]),
            ([3.0, 4.0], ["3", "4"]),
            ([1, "1"], ["0", "1"]),  # equal where they are texts
            (["", "y"], ["0", "1"]),
            ([None, "y"], ["0", "1"]),
            (pd.MultiIndex.from_tuples([("x", 1), ("x", 2)]), ["0", "1"]),
            (pd.Index([("x", 1), ("x", 2)], tupleize_cols=False), ["0", "1"]),
        ],
    )
    def test_posts_have_the_ids_of_an_index_that_tells_them_apart(self, tmp_path, index, guids):
        posts = pd.DataFrame({"t": ["one", "two"]}, index)
        write_posts(posts, {"text": "t"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet")["guid"].to_pylist() == guids

    @pytest.mark.parametrize(
        ("column", "names", "guids"),
        [
            ("id", ["a.jpg", "b.jpg"], ["a.jpg", "b.jpg"]),
            ("id", ["a.jpg", "a.jpg"], ["0", "1"]),
            ("id", ["a.jpg", None], ["0", "1"]),
            ("id", [picture(0), picture(1)], ["0", "1"]),
            ("id", [b"\xff\xd8\xff", b"\x89PNG"], ["0", "1"]),  # images themselves
            ("photo", ["a.jpg", "b.jpg"], ["0", "1"]),
        ],
    )
    def test_ids_that_name_images_are_those_of_posts(self, tmp_path, column, names, guids):
        posts = pd.DataFrame({"t": ["one", "two"], column: names})
        write_posts(posts, {"text": "t", "image": column}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet")["guid"].to_pylist() == guids

    def test_a_post_without_a_class_has_no_tag(self, tmp_path):
        features = Features({"t": Value("string"), "label": ClassLabel(names=["sad", "happy"])})
        posts = Dataset.from_dict({"t": ["one", "two"], "label": [1, -1]}, features)
        write_posts(posts, {"text": "t", "tag": "label"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet")["tag"].to_pylist() == ["happy", None]

    @pytest.mark.parametrize("kind", ["numpy", "torch", "pandas", "iterable"])
    def test_classes_of_a_data_set_have_their_names(self, tmp_path, kind):
        label = ClassLabel(names=["sad", "happy"])
        features = Features({"t": Value("string"), "label": label})
        posts = Dataset.from_dict({"t": ["one", "two"], "label": [1, 0]}, features)
        posts = posts.to_iterable_dataset() if kind == "iterable" else posts.with_format(kind)
        write_posts(posts, {"text": "t", "tag": "label"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet").to_pylist() == [
            {"guid": "0", "text": "one", "tag": "happy"},
            {"guid": "1", "text": "two", "tag": "sad"},
        ]

    def test_a_damaged_image_of_a_data_set_is_written_as_it_is(self, tmp_path):
        features = Features({"t": Value("string"), "i": datasets.Image()})
        damaged = {"bytes": b"\x89PNG\r\n", "path": None}
        posts = Dataset.from_dict({"t": ["one"], "i": [damaged]}, features)
        write_posts(posts, {"text": "t", "image": "i"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet")["image"].to_pylist() == [damaged]

    def test_a_column_may_be_named_features(self, tmp_path):
        posts = pd.DataFrame({"features": ["one"], "label": ["b"]})
        write_posts(posts, {"text": "features", "tag": "label"}, tmp_path / "p.parquet")
        assert pq.read_table(tmp_path / "p.parquet")["text"].to_pylist() == ["one"]

    def test_large_images_are_written_in_parts_that_fit_into_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr(frames, "_BYTES_AT_ONCE", 25_000)
        images = [picture(number) for number in range(5)]  # of 20,736 bytes each
        posts = pd.DataFrame({"t": list("abcde"), "i": pd.Series(images, dtype=object)})
        write_posts(posts, {"text": "t", "image": "i"}, tmp_path / "p.parquet")
        written = pq.ParquetFile(tmp_path / "p.parquet")
        assert [written.metadata.row_group(n).num_rows for n in range(3)] == [2, 2, 1]
        assert written.read()["text"].to_pylist() == list("abcde")

    def test_halves_of_surrogate_pairs_are_replaced_and_counted(self, tmp_path, caplog):
        texts = pd.Series(["so \ud83d", "\ud83d\ude00", "so"], dtype=object)
        write_posts(pd.DataFrame({"t": texts}), {"text": "t"}, tmp_path / "p.parquet")
        written = pq.read_table(tmp_path / "p.parquet")["text"].to_pylist()
        assert written == ["so \ufffd", "\U0001f600", "so"]
        assert "1 texts hold halves of surrogate pairs" in caplog.text

    def test_texts_in_bytes_stay_so(self, tmp_path):
        posts = pd.DataFrame({"t": ["день".encode("cp1251"), "день", None]})
        write_posts(posts, {"text": "t"}, tmp_path / "p.parquet")
        texts = pq.read_table(tmp_path / "p.parquet")["text"].to_pylist()
        assert texts == ["день".encode("cp1251"), "день".encode(), None]

    def test_what_is_no_text_is_named_with_its_post(self, tmp_path):
        for what, value in (("list", ["b"]), ("set", {"b"}), ("ndarray", np.array(["b", "c"]))):
            posts = pd.DataFrame({"t": ["a", value]}, index=["x", "y"])
            with pytest.raises(ClassifierError, match=f"'y' has no text: {what} is no single"):
                write_posts(posts, {"text": "t"}, tmp_path / "p.parquet")
            assert not list(tmp_path.iterdir())

    def test_images_are_paths_or_bytes_and_what_is_none_is_counted(
        self, tmp_path, caplog, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        payload = io.BytesIO()
        picture(0).save(payload, "PNG")
        images = [
            "a.png",
            {"bytes": payload.getvalue(), "path": "b.png"},
            picture(0),
            "https://example.org/a.png",
            np.zeros((2, 2)),
            3,
            float("nan"),
        ]
        posts = pd.DataFrame({"i": pd.Series(images, dtype=object)})
        write_posts(posts, {"image": "i"}, tmp_path / "p.parquet")
        written = pq.read_table(tmp_path / "p.parquet")["image"].to_pylist()
        assert written[0] == {"bytes": None, "path": str(tmp_path / "a.png")}
        assert written[1] == {"bytes": payload.getvalue(), "path": None}
        assert Image.open(io.BytesIO(written[2]["bytes"])).tobytes() == picture(0).tobytes()
        assert written[3] == {"bytes": None, "path": "https://example.org/a.png"}
        assert written[4:] == [None, None, None]
        assert "1 images are left out" in caplog.text
        assert "an array of float64" in caplog.text
