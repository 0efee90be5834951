"""Random crops of images and masked tokens of texts, made on the device, a batch at a time."""

from __future__ import annotations

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerBase


def random_crops(pixels: torch.Tensor, size: int, min_scale: float) -> torch.Tensor:
    """Return a random square of each image, flipped at random.

    Args:
        pixels: uint8 RGB of shape (batch, side, side, 3).
        size: The side of the result, px.
        min_scale: The least share of an image's area that its crop keeps, above 0 and up to 1.

    Returns:
        The crops, of shape (batch, size, size, 3), in the range of the input; uint8 or float.
    """
    batch, device = len(pixels), pixels.device
    scale = torch.empty(batch, device=device).uniform_(min_scale, 1).sqrt()
    flip = 1 - 2 * torch.randint(2, (batch,), device=device)
    shift = (2 * torch.rand(2, batch, device=device) - 1) * (1 - scale)
    if device.type == "cpu":
        return _crops_one_by_one(pixels, size, scale, flip < 0, shift)
    # From the crop's coordinates to the image's, both in [-1, 1].
    transform = torch.zeros(batch, 2, 3, device=device)
    transform[:, 0, 0] = scale * flip
    transform[:, 1, 1] = scale
    transform[:, :, 2] = shift.T
    return crops_at_once(pixels, size, transform)


def mask_tokens(
    input_ids: torch.Tensor, share: float, tokenizer: PreTrainedTokenizerBase
) -> torch.Tensor:
    """Return texts with some tokens replaced by the mask token, so that none is learnt by heart.

    Args:
        input_ids: The token ids, of shape (batch, tokens).
        share: The probability of each token to be masked; special tokens never are.
        tokenizer: The tokenizer, which knows the mask token and the special tokens.

    Returns:
        The token ids, of the same shape.
    """
    masked = torch.rand(input_ids.shape, device=input_ids.device) < share
    for special in tokenizer.all_special_ids:  # one by one, as numbers: no GPU need be waited for
        masked &= input_ids != special
    return input_ids.masked_fill(masked, tokenizer.mask_token_id)


def crops_at_once(pixels: torch.Tensor, size: int, transform: torch.Tensor) -> torch.Tensor:
    """Return an affine transform of each image, the way that is fastest on a GPU.

    Args:
        pixels: uint8 RGB of shape (batch, side, side, 3).
        size: The side of the result, px.
        transform: The maps, of shape (batch, 2, 3), from the crop's coordinates to the image's.

    Returns:
        The crops, of shape (batch, size, size, 3), float.
    """
    shape = [len(pixels), 3, size, size]
    grid = functional.affine_grid(transform, shape, align_corners=False)
    images = pixels.permute(0, 3, 1, 2).float()  # (batch, 3, side, side)
    crops = functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return crops.permute(0, 2, 3, 1)


def _crops_one_by_one(
    pixels: torch.Tensor,
    size: int,
    scale: torch.Tensor,
    flipped: torch.Tensor,
    shift: torch.Tensor,
) -> torch.Tensor:
    """Return the same crops as `random_crops`, the way that is fastest on a CPU.

    A CPU resizes bytes three times as fast as it samples floats. Edges fall on whole pixels.
    """
    side = pixels.shape[1]
    sides = (scale * side).round().clamp(min=1).long()
    # A shift moves the crop's centre, in halves of the image's side.
    lefts, tops = ((1 + shift) * side / 2 - sides / 2).round().long()
    ends = side - sides
    lefts, tops = torch.minimum(lefts, ends).clamp(min=0), torch.minimum(tops, ends).clamp(min=0)
    crops = torch.empty(len(pixels), size, size, 3, dtype=torch.uint8)
    for row, (length, left, top, flip) in enumerate(
        zip(sides.tolist(), lefts.tolist(), tops.tolist(), flipped.tolist(), strict=True)
    ):
        cut = pixels[row : row + 1, top : top + length, left : left + length]
        crop = functional.interpolate(
            cut.permute(0, 3, 1, 2), (size, size), mode="bilinear", antialias=True
        ).permute(0, 2, 3, 1)[0]  # (size, size, 3)
        crops[row] = crop.flip(1) if flip else crop
    return crops
