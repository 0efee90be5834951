"""What Hugging Face's `datasets` notes of the columns of a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def with_features(schema: pa.Schema, fields: Sequence[pa.Field]) -> pa.Schema:
    """Return a schema whose note for `datasets`, if there is one, knows some of its columns."""
    noted = (schema.metadata or {}).get(b"huggingface")
    if not noted:
        return schema
    note = json.loads(noted)
    features = note.setdefault("info", {}).setdefault("features", {})
    features |= describe_columns(pa.schema(fields), [])
    return schema.with_metadata({**schema.metadata, b"huggingface": json.dumps(note).encode()})


def describe_columns(schema: pa.Schema, known: Sequence[str]) -> dict[str, Any]:
    """Return what `datasets` notes of columns of texts and numbers, but for some."""
    return {
        field.name: {
            "dtype": "float64" if pa.types.is_floating(field.type) else "string",
            "_type": "Value",
        }
        for field in schema
        if field.name not in known
    }


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Return the names of classes that `datasets` notes beside their numbers, by column."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = noted.get("info", {}).get("features", {})
        return {
            name: feature["names"]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, AttributeError, KeyError):
        return {}
