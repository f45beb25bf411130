"""`rlkit report`: one HTML page from a folder of results."""

from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

from rlkit.run.progress import Bar


@dataclass(frozen=True)
class Page:
    """Gather the pictures and results under a folder into one HTML page that needs nothing else.

    Examples:
      rlkit report runs
      rlkit report runs/GridWorld-v0 --title "The book's grid"
    """

    folder: tyro.conf.Positional[Path]  # where rlkit solve, train, compare and demo have written
    title: str = "rlkit report"

    def run(self) -> int:
        """Write the page and say where it is."""
        from rlkit.report.page import report  # noqa: PLC0415 - loaded when there is something to report
        from rlkit.report.runs import draw_runs  # noqa: PLC0415 - the same

        with Bar("writing the page"):
            draw_runs(self.folder)
            page = report(self.folder, title=self.title)
        Console().print(f"[bold]{page.resolve().as_uri()}", soft_wrap=True)
        return 0
