"""Checks before the first node what a run would otherwise fail by later."""

from .posts import has_new_posts, idle_outputs
from .run import CLUSTER_INPUT, check_run

__all__ = ["CLUSTER_INPUT", "check_run", "has_new_posts", "idle_outputs"]
