"""The lab's way: what every figure of `speed.py` is held against.

fp32; batches of 4; each image opened with Pillow and transformed by torchvision in the training
process, every epoch; texts tokenised a batch at a time; plain AdamW over all weights.

    python tests/benchmarks/lab_way.py RAW EPOCHS

trains a small model so from beginning to end, and answers for the unlabelled posts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import chardet
import pandas as pd
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from transformers import BertConfig, BertModel

from multimodal_sentiment.model.text import learn_tokenizer

LABELS = ["negative", "neutral", "positive"]
BATCH = 4
MAX_TOKENS = 64
_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Batch = dict[str, torch.Tensor]


def read_rows(raw: Path, listing: str = "train.txt") -> pd.DataFrame:
    """Each text by chardet's guess, a row concatenated a post."""
    frame = pd.DataFrame(columns=["guid", "text", "tag"])
    for row in pd.read_csv(raw / listing, dtype=str, keep_default_na=False).itertuples():
        payload = (raw / "data" / f"{row.guid}.txt").read_bytes()
        text = payload.decode(chardet.detect(payload)["encoding"] or "ascii", "replace")
        post = pd.DataFrame([{"guid": row.guid, "text": text, "tag": row.tag}])
        frame = pd.concat([frame, post], ignore_index=True)
    return frame


def whole_images(raw: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Without the posts at whose images the lab's way would stop."""
    return rows[[_opens(raw / "data" / f"{guid}.jpg") for guid in rows["guid"]]]


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except OSError:
        return False
    return True


def training_view(size: int) -> Any:
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(size),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(_MEAN, _STD),
        ]
    )


def evaluation_view(resize: int, size: int) -> Any:
    return transforms.Compose(
        [
            transforms.Resize(resize),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize(_MEAN, _STD),
        ]
    )


class Posts(Dataset[tuple[str, torch.Tensor, int]]):
    def __init__(self, raw: Path, rows: pd.DataFrame, view: Any) -> None:
        self.raw, self.rows, self.view = raw, rows.reset_index(drop=True), view

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[str, torch.Tensor, int]:
        row = self.rows.iloc[index]
        image = Image.open(self.raw / "data" / f"{row['guid']}.jpg").convert("RGB")
        label = LABELS.index(row["tag"]) if row["tag"] in LABELS else 0
        return row["text"], self.view(image), label


def loader_of(posts: Posts, tokenizer: Any, *, shuffle: bool) -> DataLoader[Any]:
    def collate(items: list[tuple[str, torch.Tensor, int]]) -> Batch:
        texts, images, labels = zip(*items, strict=True)
        tokens = tokenizer(
            list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        return {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "images": torch.stack(images),
            "labels": torch.tensor(labels),
        }

    return DataLoader(posts, batch_size=BATCH, shuffle=shuffle, collate_fn=collate)


class Model(nn.Module):
    """BERT's first token and a ResNet's features, concatenated, through two layers."""

    def __init__(self, text: BertConfig, architecture: str, hidden: int) -> None:
        super().__init__()
        self.text = BertModel(text)
        self.image = torchvision.models.get_model(architecture, weights=None)
        width = text.hidden_size + self.image.fc.in_features
        self.image.fc = nn.Identity()
        self.head = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(hidden, len(LABELS))
        )

    def forward(self, batch: Batch) -> torch.Tensor:
        text = self.text(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        both = torch.cat([text.last_hidden_state[:, 0], self.image(batch["images"])], dim=1)
        scores: torch.Tensor = self.head(both)
        return scores


def train(model: Model, batches: Iterable[Batch], device: str, optimizer: Any) -> None:
    model.train()
    for batch in batches:
        there = {name: value.to(device) for name, value in batch.items()}
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(there), there["labels"]).backward()
        optimizer.step()


def predict(model: Model, batches: Iterable[Batch], device: str) -> list[int]:
    model.eval()
    answers: list[int] = []
    with torch.no_grad():
        for batch in batches:
            there = {name: value.to(device) for name, value in batch.items()}
            answers += model(there).argmax(dim=1).tolist()
    return answers


def main() -> None:
    raw, epochs = Path(sys.argv[1]), int(sys.argv[2])
    rows = whole_images(raw, read_rows(raw))
    tokenizer = learn_tokenizer(rows["text"], 2000)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
    )
    model = Model(config, "resnet18", 256)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    learning = rows.sample(frac=0.8, random_state=0)
    rest = Posts(raw, rows.drop(learning.index), evaluation_view(72, 64))
    batches = loader_of(Posts(raw, learning, training_view(64)), tokenizer, shuffle=True)
    for _ in range(epochs):
        train(model, batches, "cpu", optimizer)
        predict(model, loader_of(rest, tokenizer, shuffle=False), "cpu")
    unlabelled = whole_images(raw, read_rows(raw, "test_without_label.txt"))
    others = Posts(raw, unlabelled, evaluation_view(72, 64))
    print(len(predict(model, loader_of(others, tokenizer, shuffle=False), "cpu")), "answers")


if __name__ == "__main__":
    main()
