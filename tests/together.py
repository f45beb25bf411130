"""Two processes that meet as those of torchrun do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def two(module: str, *arguments: str, limit: float) -> None:
    """Run a module in two processes, each with the arguments, "{rank}" in them replaced; both must end well within `limit` seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    started = []
    for rank in "01":
        environment = os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", module, *(word.format(rank=rank) for word in arguments)]
        started.append(subprocess.Popen(command, env=environment, cwd=ROOT))  # noqa: S603 - our own interpreter
    try:
        assert [one.wait(timeout=limit) for one in started] == [0, 0]
    finally:
        for one in started:
            one.kill()
