"""Encoders: from packed observations to features. Numbers as they are, indices one-hot, images through convolutions."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from rlkit.policies.activations import Activation
from rlkit.policies.networks import mlp, orthogonal
from rlkit.policies.senses import Part, Senses
from rlkit.policies.weights import GAIN

NATURE = ((32, 8, 4), (64, 4, 2), (64, 3, 1))  # channels, kernel, stride; Mnih et al. 2015
SMALL = ((32, 3, 1), (64, 3, 2))  # padded by one: for images below 36 pixels, as of grid worlds
_LIMIT = 10.0  # standard deviations


class Encoder(nn.Module):
    """Eyes, then a net: packed observations [..., *shape] to features [..., width].

    Args:
        senses: what comes in.
        hidden: widths of the net's layers; () for the eyes alone.
        activation: after each of them.
        generator: draws the weights.
        normalise: standardise plain numbers by what `Eyes.standardise` was told.
    """

    def __init__(
        self,
        senses: Senses,
        hidden: tuple[int, ...],
        activation: Activation,
        generator: np.random.Generator,
        *,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.eyes = Eyes(senses, generator, normalise=normalise)
        self.net = mlp((self.eyes.width, *hidden), activation, generator)
        self.width = hidden[-1] if hidden else self.eyes.width

    def forward(self, obs: Tensor) -> Tensor:
        """Return features [..., width]."""
        features: Tensor = self.net(self.eyes(obs))
        return features


def encoder(
    senses: Senses,
    hidden: tuple[int, ...],
    activation: Activation,
    generator: np.random.Generator,
    *,
    normalise: bool = False,
) -> Encoder:
    """Return an encoder; `width` says how many features it gives."""
    return Encoder(senses, hidden, activation, generator, normalise=normalise)


class Eyes(nn.Module):
    """The part of an encoder that depends on the kind of observation: [..., *shape] to [..., width], without MLP.

    Args:
        senses: what comes in.
        generator: draws the weights of convolutions, the only ones here.
        normalise: standardise plain numbers, (x - μ) / σ within ±10; what μ and σ are, `standardise` says.
    """

    unit: Tensor
    mean: Tensor  # [D]
    scale: Tensor  # [D]  1 / σ

    def __init__(self, senses: Senses, generator: np.random.Generator, *, normalise: bool = False) -> None:
        super().__init__()
        self.kind, self.depth = senses.kind, len(senses.shape)
        self.parts = senses.parts
        self.images = nn.ModuleList(Convolutions(part, generator) for part in self.parts if part.kind == "image")
        widths = [int(part.shape[0]) for part in self.parts if part.kind != "image"]
        self.width = sum(widths) + sum(int(image.width) for image in self.images if isinstance(image, Convolutions))
        self.register_buffer("unit", torch.ones(()), persistent=False)  # its type is that of the numbers to come
        self.normalise = normalise and senses.kind == "vector"
        if self.normalise:
            self.register_buffer("mean", torch.zeros(senses.shape))
            self.register_buffer("scale", torch.ones(senses.shape))

    def standardise(self, mean: Tensor, std: Tensor) -> None:
        """Take over mean and standard deviation [D] of observations; images are left as they are."""
        self.mean.copy_(mean)
        self.scale.copy_(1.0 / std)
        for part in self.parts:
            if part.kind == "image":
                self.mean[part.where], self.scale[part.where] = 0.0, 1.0

    def forward(self, obs: Tensor) -> Tensor:
        """Return what a net can take, [..., width], in floats."""
        if self.kind == "index":
            return one_hot(obs, self.width).to(self.unit.dtype)
        lead = obs.shape[: obs.ndim - self.depth]
        if self.kind == "image":
            seen: Tensor = self.images[0](obs.flatten(0, len(lead) - 1) if len(lead) > 1 else obs)
            return seen.view(*lead, self.width)
        obs = obs.to(self.unit.dtype)
        if self.normalise:
            obs = ((obs - self.mean) * self.scale).clamp(-_LIMIT, _LIMIT)
        if not self.images:
            return obs
        flat = obs.reshape(-1, obs.shape[-1])
        images, seen_parts = iter(self.images), []
        for part in self.parts:
            stretch = flat[:, part.where]
            seen_parts.append(next(images)(stretch.view(-1, *part.shape)) if part.kind == "image" else stretch)
        return torch.cat(seen_parts, -1).view(*lead, self.width)


class Convolutions(nn.Module):
    """Nature's three convolutions for images from 36 pixels, two of 3 x 3 for smaller ones; then flat features.

    Args:
        part: the image; its axis of at most 4 channels (or the smaller of first and last) tells where the channels are.
        generator: draws the weights.
    """

    unit: Tensor

    def __init__(self, part: Part, generator: np.random.Generator) -> None:
        super().__init__()
        self.last = part.shape[2] <= part.shape[0]  # height, width, channels
        self.register_buffer("unit", torch.ones(()), persistent=False)
        channels, *sides = (part.shape[2], *part.shape[:2]) if self.last else part.shape
        large = min(sides) >= 36
        layers: list[nn.Module] = []
        for out, kernel, stride in NATURE if large else SMALL:
            conv = nn.Conv2d(channels, out, kernel, stride, padding=0 if large else 1)
            layers += [orthogonal(conv, GAIN, generator), nn.ReLU()]
            sides = [(side + 2 * int(not large) - kernel) // stride + 1 for side in sides]
            channels = out
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.width = channels * sides[0] * sides[1]

    def forward(self, image: Tensor) -> Tensor:
        """Return features [N, width] of images [N, ...] with numbers from 0 to 255."""
        pixels = image.movedim(-1, 1) if self.last else image
        seen: Tensor = self.layers(pixels.to(self.unit.dtype) / 255.0)
        return seen
