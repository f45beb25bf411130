"""How far a language model's next token is from its teacher's, at each token of answers, whoever wrote them."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import Parameter

from rlkit.data import Trajectories
from rlkit.policies.language_model import LanguageModel
from rlkit.policies.prefix import layout, share


class Distilled:
    """A student beside its teacher.

    Args:
        model: the student, which learns.
        teacher: does not.
        divergence: of logits of both, [1, M, V], and a mask, [1, M], to numbers [1, M]; see `rlkit.pg.distillation.distil`.

    Raises:
        ValueError: they have different tokens.
    """

    def __init__(
        self,
        model: LanguageModel,
        teacher: LanguageModel,
        divergence: Callable[[Tensor, Tensor, Tensor], Tensor],
    ) -> None:
        if model.vocabulary != teacher.vocabulary:
            raise ValueError(
                f"the student has {model.vocabulary} tokens and the teacher {teacher.vocabulary}; they need one vocabulary: "
                "learn from the teacher's answers by sft instead"
            )
        if model.place[0] != teacher.place[0]:
            raise ValueError(
                f"the student is on {model.place[0]} and the teacher on {teacher.place[0]}; put them on one"
            )
        self.model, self.teacher, self._divergence = model, teacher, divergence

    @property
    def place(self) -> torch.device:
        """Where the student's weights are."""
        return self.model.place[0]

    def say(self, traj: Trajectories) -> Tensor:
        """Return the divergence at each chosen token, [B, T]; 0 elsewhere."""
        part = layout(traj, share(traj))
        logits = self.model.logits(self.model.packed(part)[part.wanted])
        with torch.no_grad():
            wanted = self.teacher.logits(self.teacher.packed(part)[part.wanted])
        wide = torch.promote_types(logits.dtype, torch.float32)
        every = torch.ones(1, len(logits), dtype=torch.bool, device=logits.device)
        found = self._divergence(logits.to(wide)[None], wanted.to(wide)[None], every)[0]
        return found.new_zeros(traj.mask.shape).index_put((part.row, part.time), found)

    def parameters(self) -> Iterator[Parameter]:
        """Return the student's weights."""
        return self.model.parameters()
