"""`rlkit demo`: the book's figures, and more, as one page."""

import os
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console


@dataclass(frozen=True)
class Demo:
    """Solve the worlds of the book and a few more with every planner, draw them, and put all on one HTML page.

    Example:
      rlkit demo --out runs/demo
    """

    out: Path = Path("runs/demo")  # where to write; the page is report.html in it
    browse: bool = True  # open the page in a browser, where there is a display

    def run(self) -> int:
        """Make the page, say where it is, and open it where someone can see it."""
        from rlkit.demo import demo  # noqa: PLC0415 - loads the pictures' libraries

        page = demo(self.out).resolve().as_uri()
        Console().print(f"[bold]{page}", soft_wrap=True)
        display = sys.platform in {"darwin", "win32"} or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        if self.browse and display and sys.stdout.isatty():
            webbrowser.open(page)
        return 0
