"""GridWorld: the book's grid worlds and their relatives as one Gymnasium environment whose dynamics are data."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.cells import FORBIDDEN, WALL, Layout
from envs.dynamics import make_rules
from envs.layouts import load
from envs.lookup import ToyText, step_table, toy_text
from envs.rules import Rules, Transitions, expand
from envs.settings import Forbidden, Settings, SlipModel, Target
from envs.starts import start_distribution

if TYPE_CHECKING:
    from envs.render import Renderer

TRAIL = 100  # states that a picture shows of the way so far


class GridWorld(gym.Env[int, int]):
    """A grid of cells; the observation is the state index row * cols + col.

    What a step does is said in `envs.dynamics`, the map language in `envs.maps`, the named grids in `envs.layouts`.

    Arguments left out (None) take the layout's own values; a map of yours has the book's: a continuing target, actions
    up, right, down, left, stay, rewards -1 (boundary), -1 (forbidden), +1 (target), 0 (step), no slip. A continuing
    world never terminates: give `gym.make` a `max_episode_steps`, or stop by yourself.

    Args:
        layout: a name, a map as text (several lines) or as list of lines, a file that holds a map, or a `Layout`.
        r_boundary: reward for an attempt to leave the grid or to enter a wall.
        r_forbidden: reward for a step into a forbidden cell.
        r_target: reward for a step into a target without a reward of its own.
        r_step: reward for any other step.
        slip: probability that another move than the chosen one is made.
        slip_model: "perpendicular" (as FrozenLake) or "uniform" (over the other actions).
        gust: probability that the wind of a windy cell is off by one.
        target: "continuing" or "terminal".
        forbidden: "penalty", "wall", "restart" (back to the only start) or "terminal".
        actions: 4, 5, 8, 9, or names out of `envs.settings.MOVES` in the order wanted.
        change_at: steps, over the environment's life, after which a changing layout changes.
        start: "marked", "single", "uniform", (row, col) or probabilities [S]; see `envs.starts`.
        rows: of a random layout.
        cols: of a random layout.
        density: of a random layout: probability of a wall.
        forbidden_density: of a random layout: probability of a forbidden cell.
        map_seed: of a random layout; the seed of the episodes is that of `reset`.
        render_mode: "human", "rgb_array", "ansi" or None.

    Attributes:
        layout: the `Layout` as it is now (a changing one changes).
        settings: the `Settings` in force.
        shape: (rows, cols).
        n_actions: number of actions.
        rules: the dynamics in short form, of the present layout.
        initial_state_distrib: the start distribution [S].
        s: the present state.
        steps: the steps since the construction, counted while a change of the layout is ahead.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012 - Gymnasium declares it so
    _toy_text: ToyText | None
    _np_random: np.random.Generator  # Gymnasium's `np_random` without the check for None

    def __init__(
        self,
        layout: str | Path | Sequence[str] | Layout = "book-5x5",
        *,
        r_boundary: float | None = None,
        r_forbidden: float | None = None,
        r_target: float | None = None,
        r_step: float | None = None,
        slip: float | None = None,
        slip_model: SlipModel | None = None,
        gust: float | None = None,
        target: Target | None = None,
        forbidden: Forbidden | None = None,
        actions: int | Sequence[str] | None = None,
        change_at: int | None = None,
        start: str | tuple[int, int] | ArrayLike = "marked",
        rows: int | None = None,
        cols: int | None = None,
        density: float | None = None,
        forbidden_density: float | None = None,
        map_seed: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode is {render_mode!r}; choose one of {self.metadata['render_modes']} or None")
        self.metadata = dict(self.metadata)  # SyncVectorEnv writes its autoreset mode into it
        self.render_mode = render_mode
        self.layout = load(
            layout, rows=rows, cols=cols, density=density, forbidden_density=forbidden_density, map_seed=map_seed
        )
        if change_at is not None and self.layout.later is None:
            raise ValueError(f"change_at is {change_at!r}, but the layout {self.layout.name!r} does not change")
        given = {
            "r_boundary": r_boundary,
            "r_forbidden": r_forbidden,
            "r_target": r_target,
            "r_step": r_step,
            "slip": slip,
            "slip_model": slip_model,
            "gust": gust,
            "target": target,
            "forbidden": forbidden,
            "actions": actions,
            "change_at": change_at,
        }
        explicit: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.settings: Settings = replace(self.layout.settings, **explicit)
        self.layout = replace(self.layout, settings=self.settings)
        self.shape = self.layout.shape
        self.initial_state_distrib = start_distribution(self.layout, self.settings, start)
        self.observation_space = gym.spaces.Discrete(self.layout.n_states)
        self.n_actions = len(self.settings.action_names)
        self.action_space = gym.spaces.Discrete(self.n_actions)
        self.s = int(np.flatnonzero(self.initial_state_distrib)[0])
        self.steps = 0
        self._renderer: Renderer | None = None
        self._trail = deque([self.s], maxlen=TRAIL)
        self._np_random = self.np_random
        self.rules: Rules = make_rules(self.layout, self.settings, self.initial_state_distrib)
        self._prepare()

    @property
    def transitions(self) -> Transitions:
        """The dynamics as compressed rows, built anew at each call."""
        return expand(self.rules, self.n_actions)

    @property
    def P(self) -> ToyText:  # noqa: N802 - Gymnasium's toy-text name
        """The dynamics as `P[s][a] = [(probability, next state, reward, terminated), ...]`, as Gymnasium's toy-text."""
        if self._toy_text is None:
            self._toy_text = toy_text(self.transitions, self.n_actions)
        return self._toy_text

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Take an action; draws one random number if, and only if, it has more than one outcome."""
        try:
            cdf, outcomes = self._table[self.s][action]
        except TypeError:  # an array of no dimension has no hash, but is a whole number
            cdf, outcomes = self._table[self.s][index(action)]
        offset, reward, terminated = outcomes[bisect_right(cdf, self._np_random.random()) if cdf else 0]
        self.s = s = self.s + offset
        if self._watched:
            self._after_step()
        return s, reward, terminated, False, {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begin an episode, from the start distribution or from `options={"state": s}`."""
        super().reset(seed=seed)
        if options:
            self.s = self._chosen_start(options)
        elif len(self._start_states) == 1:
            self.s = int(self._start_states[0])
        else:
            k = int(np.searchsorted(self._start_cdf, self.np_random.random(), side="right"))
            self.s = int(self._start_states[k])
        if self._watched:
            self._after_reset()
        return self.s, {}

    def render(self) -> NDArray[np.uint8] | str | None:
        """Show the grid, the agent, and its last moves: text, pixels [H, W, 3], or a window and None."""
        if self.render_mode is None:
            name = self.spec.id if self.spec is not None else "GridWorld-v0"
            gym.logger.warn(f'render needs a mode: gym.make("{name}", render_mode="rgb_array"), or "human" or "ansi"')
            return None
        if self._renderer is None or self._renderer.layout is not self.layout:
            from envs.render import Renderer  # noqa: PLC0415 - pictures are loaded when one is asked for

            self.close()
            self._renderer = Renderer(self.layout, self.render_mode, self.metadata["render_fps"])
        return self._renderer.render(self.s, self._trail)

    def draw(
        self,
        *,
        value: ArrayLike | None = None,
        policy: ArrayLike | None = None,
        trajectory: Sequence[int] | None = None,
        limits: tuple[float, float] | None = None,
    ) -> NDArray[np.uint8]:
        """Picture values [S], a policy [S, A] and a way through states on the grid; see `envs.draw.draw`."""
        from envs.draw import draw  # noqa: PLC0415 - pictures are loaded when one is asked for

        return draw(self.layout, value=value, policy=policy, trajectory=trajectory, limits=limits)

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __getstate__(self) -> dict[str, Any]:
        built = {"_table", "_toy_text", "_start_states", "_start_cdf"}
        return {name: value for name, value in self.__dict__.items() if name not in built}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def _prepare(self) -> None:
        """Build what `step` and `reset` read out of `rules` and `initial_state_distrib`."""
        self._table = step_table(self.rules, self.n_actions)
        self._toy_text = None
        self._start_states = np.flatnonzero(self.initial_state_distrib)
        self._start_cdf = np.cumsum(self.initial_state_distrib)[self._start_states]
        self._start_cdf[-1] = 1.0
        self._watched = self.layout.later is not None or self.render_mode is not None

    def _chosen_start(self, options: dict[str, Any]) -> int:
        if set(options) != {"state"}:
            raise ValueError(f"reset knows the option 'state' alone, not {sorted(map(str, set(options) - {'state'}))}")
        s = options["state"]
        n_states = self.layout.n_states
        if isinstance(s, bool) or not isinstance(s, int | np.integer) or not 0 <= s < n_states:
            raise ValueError(f"options['state'] is {s!r}; a state is a whole number in 0 .. {n_states - 1}")
        row, col = divmod(int(s), self.shape[1])
        solid = {WALL, FORBIDDEN} if self.settings.forbidden == "wall" else {WALL}
        if int(self.layout.kinds[row, col]) in solid:
            shown = self.layout.point_at(row, col)
            raise ValueError(
                f"options['state'] is {s}, the cell ({row}, {col}), which cannot be entered; choose another\n{shown}"
            )
        return int(s)

    def _after_step(self) -> None:
        if self.layout.later is not None:
            self.steps += 1
            self._change_if_due()
        self._trail.append(self.s)
        if self.render_mode == "human":
            self.render()

    def _after_reset(self) -> None:
        self._change_if_due()
        self._trail = deque([self.s], maxlen=TRAIL)
        if self.render_mode == "human":
            self.render()

    def _change_if_due(self) -> None:
        """Turn the layout into its later form; walls wait while the agent stands where one will be."""
        later, due = self.layout.later, self.settings.change_at
        if later is None or due is None or self.steps < due:
            return
        if later.kinds.flat[self.s] != WALL:
            self.layout = later = replace(later, settings=self.settings)
            self.rules = make_rules(later, self.settings, self.initial_state_distrib)
            self._prepare()
