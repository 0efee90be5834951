"""Chooses which posts share a training batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

# Posts are sorted by length within this many batches. More would save hardly any padding, and make
# batches less random.
_SORTED_BATCHES = 8


class LengthAwareSampler(Sampler[int]):
    """Shuffles posts so that texts of like length come together, and little is padding.

    Every epoch has its own order, which depends on nothing but the seed and the epoch: a training
    that goes on from a checkpoint sees what it would have seen. Where all lengths are equal, it
    is a plain shuffle.

    Indices count on from epoch to epoch: those of the second begin where the first one's end.
    Processes that read ahead outlive an epoch, and know from the index which epoch it is.

    Args:
        lengths: The length of each post.
        batch_size: The size of the batches that its order will be cut into.
        seed: The seed of the order.
        processes: The number of processes that share each batch, the first taking its first part;
            posts are dealt so that their texts are of like lengths.
    """

    def __init__(
        self,
        lengths: Sequence[int] | np.ndarray,
        batch_size: int,
        seed: int,
        processes: int = 1,
    ) -> None:
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._processes = processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; the trainer calls this as each epoch begins."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self._seed, self._epoch])
        order = generator.permutation(len(self))
        # A rest that fills no batch stays last, so that the cuts fall between the others.
        whole = len(self) - len(self) % self._batch_size
        batches: list[np.ndarray] = []
        stretch = self._batch_size * _SORTED_BATCHES
        for start in range(0, whole, stretch):
            some = order[start : min(start + stretch, whole)]
            some = some[np.argsort(self._lengths[some], kind="stable")]
            dealt = some.reshape(-1, self._batch_size // self._processes, self._processes)
            batches.extend(dealt.swapaxes(1, 2).reshape(-1, self._batch_size))
        generator.shuffle(batches)
        counted = np.concatenate([*batches, order[whole:]]) + self._epoch * len(self)
        yield from counted.tolist()
