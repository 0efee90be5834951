"""A model is sent to a hub on loopback."""

from __future__ import annotations

import json
import re
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from huggingface_hub import HfApi

from multimodal_sentiment import ClassifierError, load_classifier
from multimodal_sentiment.monitoring import ValidationSummary
from multimodal_sentiment.publishing import push as sending

from .loopback import NAME, Hub

_VECTORS = np.ones((3, 64), dtype=np.float32)
VALIDATION = ValidationSummary(3, {}, {}, {"text": _VECTORS}, {"text": _VECTORS})


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def push(hub, model, card=None, *, public=False):
    place = sending.check_repository(NAME, hub.url, public=public)
    with sending.staged(model, card) as folder:
        return sending.push(place, folder, NAME, "Model", public=public)


def test_what_is_sent_is_a_model_and_private(hub, model, tmp_path):
    where = push(hub, model, "---\nlicense: mit\n---\nIts numbers\n")

    assert where == f"{hub.url}/{NAME}"
    assert hub.private is True
    assert hub.files["README.md"].endswith(b"Its numbers\n")
    assert {"config.json", "model.safetensors", "tokenizer.json", "modeling.py"} <= set(hub.files)
    for name, content in hub.files.items():
        (tmp_path / name).write_bytes(content)
    given, sent = (load_classifier(it, "cpu", "fp32").predict(["fine"]) for it in (model, tmp_path))
    np.testing.assert_allclose(given["p_good"], sent["p_good"], atol=1e-6)


def test_nothing_of_single_posts_leaves(hub, model):
    model.encoding_profile["flagged"] = {"posts": 1, "first": [{"guid": "secret"}]}
    object.__setattr__(model, "learnt_keys", np.array([1, 2], dtype=np.uint64))
    object.__setattr__(model, "validation", VALIDATION)

    push(hub, model)

    assert not any(b"secret" in content for content in hub.files.values())
    assert "learnt_posts.npy" not in hub.files
    assert "validation_features.safetensors" not in hub.files
    assert "validation_summary.json" in hub.files
    assert "flagged" in model.encoding_profile  # our own keeps it


def test_no_folder_of_this_machine_is_named(hub, model, monkeypatch):
    place = "/home/alice@lab/encoders/small-bert"
    local = {"name": place, "source": "the local folder", "revision": None}
    hubs = {"name": "timm/lite0", "source": "the hub", "revision": "1" * 40}
    encoders = {"text": local, "image": hubs}
    monkeypatch.setattr(model.config, "training", {**model.config.training, "encoders": encoders})

    for card in (None, f"---\nlicense: mit\n---\nEncoders: {place}, timm/lite0\n"):
        push(hub, model, card)

        assert not any(b"/home/alice" in content for content in hub.files.values())
        sent = json.loads(hub.files["config.json"])["training"]["encoders"]
        assert {name: encoder["name"] for name, encoder in sent.items()} == {
            "text": "small-bert",
            "image": "timm/lite0",
        }
        assert b"small-bert" in hub.files["README.md"]
        assert b"timm/lite0" in hub.files["README.md"]
    assert local["name"] == place  # our own keeps it


def test_a_public_repository_is_asked_for(hub, model):
    push(hub, model, public=True)
    assert hub.private is False

    with pytest.raises(ClassifierError, match="is there already, and public: name another"):
        push(hub, model)


def test_a_repository_of_which_the_hub_does_not_say_it_counts_as_public(hub, model, monkeypatch):
    push(hub, model, public=True)
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: SimpleNamespace(private=None))

    push(hub, model, public=True)
    with pytest.raises(ClassifierError, match="is there already, and public: name another"):
        push(hub, model)


def test_a_private_repository_is_not_said_to_be_public(hub, model):
    push(hub, model)

    with pytest.raises(ClassifierError, match="is there already, and private: name another"):
        push(hub, model, public=True)
    assert hub.private is True


@pytest.mark.parametrize("name", ["tiny", "a/b/c", "../x", "a b/c"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(hub, name):
    with pytest.raises(ClassifierError, match="is no OWNER/NAME of a hub"):
        sending.check_repository(name, hub.url, public=False)
    assert not hub.seen


def test_a_hub_that_refuses_or_does_not_answer_is_one_line(hub, model):
    hub.refuses = True
    with pytest.raises(ClassifierError, match=r"does not take the model: .*403") as caught:
        push(hub, model)
    assert len(str(caught.value).splitlines()) == 1
    assert not hub.files

    with pytest.raises(ClassifierError, match=re.escape("http://127.0.0.1:9 does not take")):
        sending.check_repository(NAME, "http://127.0.0.1:9", public=False)
