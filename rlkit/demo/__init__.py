"""`rlkit demo`: the book's figures of chapters 2 to 4, the planners' convergence, Gymnasium's worlds and a maze, on one page."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from rlkit.demo import chapter2, chapter3, chapter4, maze, rates, toy_text
from rlkit.demo.cards import Card, write
from rlkit.report.page import report
from rlkit.run.progress import Bar

Part = tuple[str, Callable[[], list[Card]]]

PARTS: tuple[Part, ...] = (
    ("Chapter 2: state values and the Bellman equation", chapter2.cards),
    ("Chapter 3: optimal values and the Bellman optimality equation", chapter3.cards),
    ("Chapter 4: value iteration and policy iteration", chapter4.cards),
    ("How fast planners converge", rates.cards),
    ("Gymnasium's worlds", toy_text.cards),
    ("A maze", maze.cards),
)


def demo(out: str | Path, parts: tuple[Part, ...] = PARTS) -> Path:
    """Solve and draw everything, and return the path of the page.

    Args:
        out: folder to write pictures, results and report.html to.
        parts: headings with the functions that make their cards.
    """
    folder = Path(out)
    console = Console()
    order = 0
    with Bar("demo", len(parts), patience=0.0) as bar:
        for done, (heading, cards) in enumerate(parts):
            bar.say(heading)
            clock = time.perf_counter()
            made = cards()
            for card in made:
                write(card, heading, order, folder)
                order += 1
            bar.show(done + 1, {})
            console.print(f"[green]✓[/green] {heading} [dim]{len(made)} cards, {time.perf_counter() - clock:.1f} s")
    return report(folder, title="rlkit: the demo")
