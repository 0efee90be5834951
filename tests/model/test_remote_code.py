"""A model's folder is used by transformers where this package is not installed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.dynamic_module_utils import get_imports

from multimodal_sentiment import load_classifier
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.model.remote_code import CODE

TERMS = ["day", "lovely", "lovely day", "rain"]
USE = """
import json, sys
sys.modules |= dict.fromkeys(["multimodal_sentiment", "timm"])  # not installed
from transformers import AutoModel, pipeline
folder, posts = sys.argv[1:]
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
assert "transformers_modules" in type(model).__module__
answer = pipeline(model=folder, trust_remote_code=True)
posts = json.loads(posts)
print(json.dumps([[answer(post) for post in posts], answer(posts, batch_size=3)]))
"""


@pytest.fixture
def folder(tiny, tmp_path) -> Path:
    """The folder of a pooled model that counts words."""
    parameters = tiny()
    pooled = parameters.model.fusion.model_copy(update={"kind": "pool"})
    model, tokenizer = build_model(
        parameters.model.model_copy(update={"fusion": pooled}),
        ["bad", "good"],
        ["a lovely day", "rain again"] * 5,
        {},
        counted_terms=len(TERMS),
        word_form="NFKC",
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "encoder" not in name:
                weight.normal_()
        model.words.idf[:-1] = 1.0
    model.config.training = {"pictures": {"short_side": 80, "max_aspect_ratio": 2.0}}
    (tmp_path / "model").mkdir()
    SentimentClassifier(model, tokenizer, {}, terms=TERMS).save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "encoding_profile.json").write_text('{"posts": {}, "expected": {}}')
    return tmp_path / "model"


@pytest.fixture
def web(tmp_path):
    """Where the files of the test's folder can be had."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_answers_as_here_without_this_package_and_without_a_network(folder, tmp_path, web):
    photo = tmp_path / "photo.png"
    blocks = np.random.default_rng(0).integers(0, 256, (6, 20, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((500, 150)).save(photo)
    camera, sticker = tmp_path / "camera.jpg", tmp_path / "sticker.png"
    sideways = Image.Exif()
    sideways[274] = 6
    Image.fromarray(blocks).resize((1500, 1000)).save(camera, exif=sideways)
    Image.fromarray(np.dstack([blocks, blocks[:, :, 0]])).save(sticker)
    deep, measured = tmp_path / "deep.png", tmp_path / "measured.tiff"
    Image.fromarray(blocks[:, :, 0].astype(np.uint16) * 200).save(deep)
    Image.fromarray(blocks[:, :, 0].astype(np.float32) / 7 - 20).save(measured)
    damaged, broken = tmp_path / "damaged.jpg", tmp_path / "broken.jpg"
    turned = Image.fromarray(blocks).resize((300, 200))
    # Turned, and with a second tag whose value lies outside of the metadata; no metadata at all.
    entries = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + b"\x0e\x01\x02\0\xff\0\0\0\xff\xff\0\0"
    turned.save(damaged, exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0" + entries + b"\0\0\0\0")
    turned.save(broken, exif=b"Exif\0\0MM no metadata")
    posts = [
        {"text": "What a lovely day, a lovely day! https://example.org", "image": str(photo)},
        {"text": "rain", "image": None},
        {"image": str(photo)},
        "a \uff2covely day",
        {"text": ""},
        {"image": str(camera)},
        {"text": "rain", "image": str(sticker)},
        {"image": str(deep)},
        {"image": str(measured)},
        {"image": str(damaged)},
        {"image": str(broken)},
        {"image": base64.encodebytes(sticker.read_bytes()).decode()},
        {"image": f"{web}/sticker.png"},
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    expecting = load_classifier(folder, "cpu", "fp32")
    (folder / "terms.json").unlink()  # a hub would be asked for it at no revision, with no token

    done = subprocess.run(
        [sys.executable, "-c", USE, str(folder), json.dumps(posts)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    alone, together = json.loads(done.stdout)
    assert together == alone
    answers = [{each["label"]: each["score"] for each in post} for post in alone]
    as_rows = [post if isinstance(post, dict) else {"text": post} for post in posts]
    given = [post.get("image") for post in as_rows]
    files = [str(sticker) if it and not it.startswith(str(tmp_path)) else it for it in given]
    expected = expecting.predict([post.get("text") for post in as_rows], files)
    for label in ("bad", "good"):
        np.testing.assert_allclose(
            [answer[label] for answer in answers], expected[f"p_{label}"], atol=1e-5
        )


def test_the_code_beside_a_model_imports_nothing_of_this_project(folder):
    for name in CODE:
        assert "multimodal_sentiment." not in (folder / f"{name}.py").read_text()


def test_the_code_beside_a_model_asks_for_no_library_that_only_some_encoders_need(folder):
    asked = {library for name in CODE for library in get_imports(folder / f"{name}.py")}

    assert asked - sys.stdlib_module_names == {"PIL", "numpy", "torch", "transformers"}


def test_our_own_loader_runs_none_of_it_and_says_if_it_is_other_code(folder, caplog):
    load_classifier(folder)
    assert not caplog.messages

    (folder / "modeling.py").write_text("raise SystemExit('was run')")
    load_classifier(folder)
    assert "is of another version of this package, or was changed (modeling.py)" in caplog.text


def test_the_advice_about_other_code_is_followed(folder, tmp_path, caplog):
    (folder / "words.py").write_text("# of an older version")
    answers = load_classifier(folder, "cpu", "fp32").predict(["a lovely day"], [None])
    assert "load_classifier(FOLDER).save_pretrained(ANOTHER)" in caplog.text

    load_classifier(folder).save_pretrained(tmp_path / "another")
    caplog.clear()
    again = load_classifier(tmp_path / "another", "cpu", "fp32").predict(["a lovely day"], [None])

    assert not caplog.messages
    assert again.equals(answers)
