"""The K-armed testbed of Sutton & Barto, section 2.3: one state, K actions whose rewards are noise about values of their own."""

from typing import Any, Final

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

STATE: Final = 0


class Bandit(gym.Env[int, int]):
    """A bandit of K arms: r = value(a) + noise; value(a) ~ Normal(mean, spread²), drawn at every reset.

    There is one state, and no episode ever ends. `spread=0, drift=0.01` is the walk of exercise 2.5, `mean=4` the testbed
    of figure 2.5. A model of finitely many outcomes does not exist, so that agents step it.

    Args:
        arms: K.
        mean: of the distribution of the values.
        spread: its standard deviation.
        noise: standard deviation of a reward about its arm's value.
        drift: standard deviation of the step that every value takes, independently, after each action; 0 is stationary.

    Attributes:
        true_values: [K] as they are now; also in `info`.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so
    _np_random: np.random.Generator  # Gymnasium's `np_random` without the check for None

    def __init__(
        self, arms: int = 10, *, mean: float = 0.0, spread: float = 1.0, noise: float = 1.0, drift: float = 0.0
    ) -> None:
        if arms != int(arms) or arms < 1:
            raise ValueError(f"arms is {arms!r}; it must be a whole number of at least 1")
        if not np.isfinite(mean):
            raise ValueError(f"mean is {mean!r}; it must be finite")
        for name, value in (("spread", spread), ("noise", noise), ("drift", drift)):
            if not (np.isfinite(value) and value >= 0.0):
                raise ValueError(f"{name} is {value!r}; a standard deviation is finite and not negative")
        self.metadata = dict(self.metadata)  # SyncVectorEnv writes its autoreset mode into it
        self.observation_space = gym.spaces.Discrete(1)
        self.action_space = gym.spaces.Discrete(int(arms))
        self.true_values: NDArray[np.float64] = np.full(int(arms), float(mean))
        self._mean, self._spread, self._noise, self._drift = float(mean), float(spread), float(noise), float(drift)
        self._means: list[float] = self.true_values.tolist()
        self._np_random = self.np_random

    @property
    def best(self) -> int:
        """The arm of the highest value now, the lowest of several."""
        return int(self.true_values.argmax())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Draw new values."""
        super().reset(seed=seed, options=options)
        self._put(self._mean + self._spread * self._np_random.standard_normal(len(self._means)))
        return STATE, {"true_values": self.true_values}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Pull an arm; then the values drift. `info` holds those that the action could choose among."""
        info = {"true_values": self.true_values}
        reward = self._means[action] + self._noise * self._np_random.standard_normal()
        if self._drift:
            self._put(self.true_values + self._drift * self._np_random.standard_normal(len(self._means)))
        return STATE, reward, False, False, info

    def _put(self, values: NDArray[np.float64]) -> None:
        values.flags.writeable = False  # what `info` shows is no handle to turn
        self.true_values = values
        self._means = values.tolist()  # a list is read in a third of the time
