"""Made-up posts: texts in many languages and encodings, drawn photos, tags that follow from both.

`write_sample` writes a folder of them; `plan` tells what is hidden in them.
"""

from .plan import FAULTS, JUDGEMENTS, Judgements, Post, Voice, plan
from .writing import Summary, write_sample

__all__ = ["FAULTS", "JUDGEMENTS", "Judgements", "Post", "Summary", "Voice", "plan", "write_sample"]
