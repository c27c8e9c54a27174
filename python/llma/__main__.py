# SPDX-License-Identifier: Apache-2.0
"""`python -m llma` is the program llma, which is part of the package."""

import os
import pathlib
import signal
import sys
from typing import NoReturn


def pull(name: str) -> int:
    """What the program of a wheel without libcurl cannot do itself."""
    from . import LlmaError, fetch_model

    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        if percent != shown and sys.stderr.isatty():
            print(f"\r{name}: {percent} %", end="", file=sys.stderr, flush=True)
            shown = percent

    try:
        model = fetch_model(name, progress=show)
    except LlmaError as error:
        print(f"llma: {error}", file=sys.stderr)
        return 1
    print(f"{model.name} is installed: {model.path}")
    return 0


def main() -> NoReturn:
    if sys.argv[1:2] == ["tune"]:
        from .tune.__main__ import main as tune

        tune(sys.argv[2:])
        sys.exit()
    if sys.argv[1:3] == ["model", "pull"] and len(sys.argv) == 4:
        from ._llma import HAS_HTTP

        if not HAS_HTTP:
            sys.exit(pull(sys.argv[3]))
    program = pathlib.Path(__file__).parent / "bin" / "llma"
    # Python ignores it, and the program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(program, ["llma", *sys.argv[1:]])


if __name__ == "__main__":
    main()
