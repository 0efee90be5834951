"""Explanations of answers as a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from kedro.io import DatasetError

from multimodal_sentiment.wording import reason

from .bases import LocalVersionedDataset
from .previews import HTMLPreview

if TYPE_CHECKING:
    from multimodal_sentiment.explaining import Explanation


Explanations: TypeAlias = "dict[str, Explanation]"


class ExplanationsDataset(LocalVersionedDataset[Explanations, Explanations]):
    """``ExplanationsDataset`` keeps explanations by the guid of their posts, as JSON.

    Its preview in Kedro-Viz shows the first ones as the report does.

    Example usage for the YAML API:

    ```yaml
    explanations:
      type: multimodal_sentiment.datasets.ExplanationsDataset
      filepath: data/08_reporting/explanations.json
      versioned: true
    ```

    Example usage for the Python API:

    >>> from multimodal_sentiment.explaining import Explanation
    >>> dataset = ExplanationsDataset(filepath="explanations.json")
    >>> dataset.save({"7": Explanation("positive", 0.9, 0.4, 0.5, None, "What a day!")})
    >>> dataset.load()["7"].text
    'What a day!'
    """

    def load(self) -> dict[str, Explanation]:
        """Read the explanations.

        Raises:
            DatasetError: If they are not there, or are no explanations.
        """
        from multimodal_sentiment.explaining import Explanation

        path = Path(self._get_load_path())
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            return {guid: Explanation.from_dict(one) for guid, one in plain.items()}
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {reason(error)}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{path} holds no explanations: {error!r}") from error

    def save(self, data: dict[str, Explanation]) -> None:
        """Write the explanations."""
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {guid: explanation.to_dict() for guid, explanation in data.items()}
        text = json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False)
        path.write_text(text, encoding="utf-8", newline="\n")

    def preview(self, posts: int = 6) -> HTMLPreview:
        """Return the first explanations, for Kedro-Viz."""
        from multimodal_sentiment.explaining import render

        shown = list(self.load().values())[:posts]
        # Kedro-Viz shows every line break of the source.
        parts = [render(explanation).replace(">\n", ">") for explanation in shown]
        return HTMLPreview("<hr>".join(parts) or "<p>No post was explained.</p>")
