"""What every run of an actor-critic that learns from a replay consists of, but for its nets and formulas: the sibling of `Player`."""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from rlkit.agent import Report
from rlkit.sample.experience import Critical, Drawn, Experience, Wanderer
from rlkit.sample.scene import Scene
from rlkit.sample.training import Part, Training


class Replayer:
    """Takes a step in each world, remembers it, and gives the batches that are due to be learned from.

    Args:
        scene: its worlds and device.
        policy: that acts.
        config: says how much is remembered, and when a learning step is due.
        seed: of the agent's own draws.
        parts: the state of nets and optimizers, by name.
        nets: all of them, which may standardise observations.
    """

    def __init__(
        self,
        scene: Scene,
        policy: Wanderer,
        config: Critical,
        seed: int,
        parts: Mapping[str, Part],
        nets: Sequence[nn.Module],
    ) -> None:
        self.config = config
        self.acting = scene.acting(policy)
        self.experience = Experience(scene.worlds, policy, scene.device, config, nets)
        self.training = Training(config, seed, {**parts, "experience": self.experience})
        self.rng, self.ask = self.training.rng, self.training.ask
        self.state_dict, self.load_state_dict = self.training.state_dict, self.training.load_state_dict
        self.due = False  # whether it is time for a report

    @property
    def step(self) -> int:
        """Steps so far, over all processes."""
        return self.training.step

    @property
    def lr(self) -> float:
        """The step size now."""
        return self.training.lr(self.step)

    def play(self) -> Iterator[Drawn]:
        """Take a step in each world; return the batches to learn from, which are drawn as they are asked for."""
        learn = self.experience.play(self.rng, self.step)
        self.due = self.training.counted(self.config.envs)
        return self.experience.batches(self.rng, learn)

    def report(self, found: Mapping[str, Tensor]) -> Report:
        """Report on the episodes that have ended, and on what the last batch came to; here the host waits for the device.

        Raises:
            ValueError: it came to what is no number.
        """
        return self.training.report(found, self.experience.worlds.finished, lr=self.lr)
