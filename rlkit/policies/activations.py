"""The names of activations, which configurations know without the nets that have them."""

from typing import Literal

Activation = Literal["tanh", "relu", "elu", "gelu", "silu"]
