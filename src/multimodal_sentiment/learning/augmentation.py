"""Random views of pictures, made on the device, a batch at a time."""

from __future__ import annotations

import torch
from torch.nn import functional


def random_views(pixels: torch.Tensor, size: int, least_area: float) -> torch.Tensor:
    """A random square of each picture, flipped at random.

    Args:
        pixels: uint8 RGB of shape (batch, side, side, 3).
        size: The side of the result, px.
        least_area: The least share of a picture's area that its view keeps, up to 1.

    Returns:
        Of shape (batch, size, size, 3), float, in the range of the input.
    """
    batch, device = len(pixels), pixels.device
    scale = torch.empty(batch, device=device).uniform_(least_area, 1).sqrt()
    flip = 1 - 2 * torch.randint(2, (batch,), device=device)
    shift = (2 * torch.rand(2, batch, device=device) - 1) * (1 - scale)
    # From the view's coordinates to the picture's, both in [-1, 1].
    transform = torch.zeros(batch, 2, 3, device=device)
    transform[:, 0, 0] = scale * flip
    transform[:, 1, 1] = scale
    transform[:, :, 2] = shift.T
    grid = functional.affine_grid(transform, [batch, 3, size, size], align_corners=False)
    images = pixels.permute(0, 3, 1, 2).float()  # (batch, 3, side, side)
    views = functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return views.permute(0, 2, 3, 1)
