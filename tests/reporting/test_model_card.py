from __future__ import annotations

import re

import pytest
import yaml
from huggingface_hub import ModelCard

from multimodal_sentiment.reporting import describe_model, model_card
from multimodal_sentiment.reporting.caveats import Caveat


def vision(family):
    encoder = {"architecture": "a network", "size": 224, "vision": {"model_type": family}}
    return {"image_config": encoder}


def test_a_model_is_described_from_its_configuration_alone(config):
    assert describe_model(config, 134_000_000) == {
        "labels": "negative, neutral, positive",
        "looks at": "text and image",
        "text encoder": (
            "bert, 12 layers of 768, 30,522 word pieces, at most 64 a text, "
            "pretrained (encoders/bert-base-uncased)"
        ),
        "image encoder": "resnet50 at 224 px, trained from scratch",
        "size": "134.0 million weights, 536 MB",
        "learnt from": "2,304 posts; 256 tuning posts chose epoch 4 and temperature 1.25",
        "computed on": "cuda in bf16, seed 0",
    }


def test_a_model_of_texts_has_no_image_encoder(config):
    config["modality"] = "text"

    facts = describe_model(config, 1_000_000)

    assert facts["looks at"] == "text"
    assert "image encoder" not in facts


def test_the_card_has_the_head_that_model_hubs_read(config):
    card = model_card(config, 134_000_000)

    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "license": "apache-2.0",
        "library_name": "transformers",
        "tags": ["sentiment", "multimodal", "multimodal_sentiment", "both"],
        "metrics": ["accuracy", "f1"],
        "labels": ["negative", "neutral", "positive"],
        "base_model": ["bert-base-uncased"],
    }
    assert "negative, neutral or positive, from its text and photo." in body
    assert "On the tuning posts it reached accuracy 0.750 and macro-F1 0.500" in body
    assert "`p_negative`, `p_neutral`, `p_positive`" in body


def test_the_card_of_a_model_that_has_learnt_from_its_tuning_posts_says_so(config):
    config["training"]["refit"] = True

    card = model_card(config, 1_000_000)

    assert (
        "On the tuning posts a model like it, trained without these posts, reached accuracy 0.750"
    ) in card


@pytest.mark.parametrize(
    ("changes", "libraries"),
    [
        ({"modality": "text"}, "transformers, torch and Pillow"),
        ({}, "transformers, torch, Pillow and torchvision"),
        (vision("vit"), "transformers, torch and Pillow"),
        (vision("timm_wrapper"), "transformers, torch, Pillow and timm"),
    ],
)
def test_the_card_names_the_libraries_that_the_code_beside_the_weights_needs(
    config, changes, libraries
):
    card = model_card(config | changes, 1_000_000)

    assert f"Where only {libraries} are installed, the code beside" in card


def test_the_card_claims_nothing_of_a_model_that_was_not_trained(config):
    card = model_card(config | {"training": {}}, 1_000_000)

    assert "Nothing yet" in card
    assert "tuning posts" not in card


def test_the_card_says_what_a_model_from_scratch_has_not_seen(config):
    config["training"]["encoders"] = {}

    assert "trained from scratch on these few posts" in model_card(config, 1_000_000)


def test_labels_cannot_break_the_head(config):
    config["id2label"] = {"0": "a: [b", "1": "---\nlicense: mit"}

    _, head, _ = re.split("^---\n", model_card(config, 1), maxsplit=2, flags=re.MULTILINE)

    assert yaml.safe_load(head)["license"] == "apache-2.0"
    assert yaml.safe_load(head)["labels"] == ["a: [b", "---\nlicense: mit"]


def test_an_encoder_from_a_hub_is_named_as_the_hub_names_it(config):
    config["training"]["encoders"] = {
        "image": {"name": "timm/resnet50.tv_in1k@78f3ecf", "revision": "78f3ecf"}
    }

    _, head, _ = model_card(config, 1).split("---\n", 2)

    assert yaml.safe_load(head)["base_model"] == ["timm/resnet50.tv_in1k"]


def test_where_an_encoder_is_from_and_under_which_licence_is_said(config):
    config["training"]["encoders"] = {
        "text": {
            "name": "lab/tiny",
            "source": "the package lab-tiny 0.1.0",
            "revision": "0123456789abcdef",
            "sha256": "fedcba9876543210",
            "licence": "mit",
        }
    }
    card = model_card(config, 1)

    assert (
        "pretrained (lab/tiny, commit 01234567, SHA-256 fedcba98, from the package lab-tiny 0.1.0, "
        "licence mit)"
    ) in card


def test_the_card_of_a_judged_model_has_its_numbers_in_words_and_for_hubs(config, metrics):
    metrics["protocol"]["validation_sha256"] = "ab" * 32
    metrics["calibration"]["after"]["expected_calibration_error"] = 0.0123
    doubts = [Caveat("Few posts", "the intervals are wide")]

    card = model_card(config, 1, metrics, doubts)

    assert "| this model | 0.800 (0.780 to 0.820) | 0.770 (0.750 to 0.800) |" in card
    assert "| baseline: TF-IDF | 0.700 (0.680 to 0.720) | 0.770 (0.750 to 0.800) |" in card
    assert "| negative | 0.650 (0.500 to 0.950) | 400 |" in card
    assert "- **Few posts**: the intervals are wide" in card
    assert "right answers by 1.2% on average" in card
    assert "before the model is judged" not in card
    read = ModelCard(card).data.eval_results  # as the hub's own library reads it
    assert [(it.metric_name, it.metric_value) for it in read] == [
        ("Accuracy", 0.8),
        ("Macro-F1", 0.77),
        ("Weighted F1", 0.79),
    ]
    assert {it.dataset_name for it in read} == {"1,000 validation posts (abababababababab)"}


def test_the_card_names_the_licences_of_the_encoders(config):
    config["training"]["encoders"]["text"]["licence"] = "mit"

    assert "that of the project, of encoders/bert-base-uncased (mit); the posts" in model_card(
        config, 1
    )
