"""What every agent is, and what it reports: the one interface between algorithms and everything that runs them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable


class Report(NamedTuple):
    """What an agent says after every update."""

    step: int  # environment steps; sweeps for a planner; optimizer steps for a language model
    scalars: dict[str, float]  # TensorBoard tag -> value
    each: Mapping[str, list[float]] = {}  # tag -> the value of each run, where an agent makes several side by side


class Agent(Protocol):
    """An algorithm with its state, built by `rlkit.make(name, env, **config)`."""

    config: Any  # frozen dataclass = CLI flags = log = checkpoint header

    def act(self, obs: Any, *, explore: bool = False) -> Any:
        """Return the action for one observation, or the actions for a batch."""
        ...

    def updates(self, steps: int) -> Iterator[Report]:
        """Run the algorithm for at most `steps` more steps, yielding after every update; call again to go on."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a later `load_state_dict` needs to go on as if never stopped; `step` is the last report's."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state made by `state_dict` of an agent with the same configuration."""
        ...


@runtime_checkable
class Attentive(Protocol):
    """An agent whose `act` depends on more than the observation: on a mask of actions, or on the episode so far."""

    def attend(self, info: Mapping[str, Any], *, first: bool) -> None:
        """Take note of the info that comes with the next observation, and whether an episode begins with it."""
        ...


@runtime_checkable
class Viewed(Protocol):
    """An agent, or a part of one, that can show its state without copying it, as whoever writes it to a file needs it."""

    def views(self) -> Any:
        """Return what `state_dict` returns, but its arrays may be the agent's own: true until it goes on."""
        ...


def name_of(agent: Agent) -> str:
    """Return the agent's name, that of the file in which its configuration is defined."""
    return type(agent.config).__module__.rpartition(".")[2]
