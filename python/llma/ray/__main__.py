# SPDX-License-Identifier: Apache-2.0
"""`python -m llma.ray`: llma.ray as a program."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn, Sequence

from .. import __version__
from .._codec import DEFAULT_LEVEL
from .._errors import LlmaError
from . import (
    ClusterError,
    PartsError,
    RunError,
    Summary,
    compress,
    decompress,
    test,
)
from ._sources import describe

_ERROR = 1
_WARNING = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_ERROR, f"{self.prog}: {message}\n")


def _bytes(text: str) -> int:
    """100, 4K, 2MiB."""
    match = re.fullmatch(r"(\d+)(?:([kmgt])(?:i?b)?)?b?", text.lower())
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 4M")
    shift = 10 * (" kmgt".index(match[2]) if match[2] else 0)
    return int(match[1]) << shift


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m llma.ray",
        description="Compress and restore on many machines, with Ray.",
    )
    parser.add_argument("--version", action="version", version=f"llma {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    packs = commands.add_parser("compress", help="files, folders, URLs to .llma files")
    for level in range(1, 10):
        packs.add_argument(
            f"-{level}",
            dest="level",
            action="store_const",
            const=level,
            default=DEFAULT_LEVEL,
            help=argparse.SUPPRESS if 1 < level < 9 else "the level, 1 to 9; usually 6",
        )
    packs.add_argument("--model", help="a name or a .llmm file")
    packs.add_argument("--lanes", type=int, default=0, metavar="N")
    packs.add_argument("--window", type=int, default=0, metavar="N")
    packs.add_argument("--learn", action=argparse.BooleanOptionalAction)
    packs.add_argument("--frame-size", type=_bytes, default=0, metavar="SIZE")
    packs.add_argument("--no-check", action="store_true", help="no checksums")
    packs.add_argument("--embed-model", action="store_true")
    packs.add_argument(
        "-N", "--name", action="store_true", help="keep name, mode and time in files"
    )
    packs.add_argument(
        "--column", help="this column of .parquet or .jsonl files, a record a line"
    )
    packs.add_argument(
        "--records",
        choices=("jsonl", "lines"),
        default="jsonl",
        help="how a record of --column is written; usually as JSON",
    )

    restores = commands.add_parser("decompress", help="what compress made")
    tests = commands.add_parser("test", help="decode all and compare checksums")
    for one in packs, restores, tests:
        one.add_argument("sources", nargs="+", metavar="SOURCE")
        one.add_argument(
            "--address",
            help="of a cluster; else $RAY_ADDRESS, one that runs here, or a new one",
        )
        one.add_argument(
            "-T", "--threads", type=int, default=1, metavar="N", help="of each task"
        )
        one.add_argument(
            "--retries",
            type=int,
            default=5,
            metavar="N",
            help="of a task whose worker or node dies",
        )
        one.add_argument(
            "-D",
            "--reference",
            metavar="FILE",
            help="read it first; who decompresses needs it, too",
        )
        one.add_argument("-q", "--quiet", action="store_true", help="errors only")
        if one is not packs:
            one.add_argument("--model", help="one that nodes may lack")
            one.add_argument(
                "--max-size", type=_bytes, default=0, help="refuse more content"
            )
        if one is not tests:
            one.add_argument("--to", required=True, metavar="DIR|FILE")
            one.add_argument(
                "-f", "--force", action="store_true", help="overwrite"
            )
        if one is packs:
            one.add_argument(
                "-M", "--memory", type=_bytes, default=0, help="that a task may need"
            )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    of_all: dict[str, Any] = {
        "model": given.model,
        "reference": given.reference,
        "threads": given.threads,
        "retries": given.retries,
        "address": given.address,
        "progress": sys.stderr.isatty() and not given.quiet,
    }
    try:
        if given.command == "compress":
            summary = compress(
                given.sources,
                given.to,
                level=given.level,
                lanes=given.lanes,
                window=given.window,
                learn=given.learn,
                frame_size=given.frame_size,
                checksums=not given.no_check,
                embed_model=given.embed_model,
                keep_name=given.name,
                column=given.column,
                records=given.records,
                memory_bytes=given.memory,
                force=given.force,
                **of_all,
            )
        elif given.command == "decompress":
            summary = decompress(
                given.sources,
                given.to,
                max_size=given.max_size,
                force=given.force,
                **of_all,
            )
        else:
            summary = test(given.sources, max_size=given.max_size, **of_all)
    except RunError as error:
        _tell(error.summary, given.quiet)
        return _ERROR
    except (ClusterError, PartsError, LlmaError, ValueError, OSError) as error:
        name = getattr(error, "filename", None)
        text = f"{name}: {describe(error)}" if name else str(error)
        print(f"llma.ray: {text}", file=sys.stderr)
        return _ERROR
    except KeyboardInterrupt:
        print("llma.ray: interrupted; the same command goes on", file=sys.stderr)
        return 130
    _tell(summary, given.quiet)
    return _WARNING if summary.problems else 0


def _tell(summary: Summary, quiet: bool) -> None:
    for problem in summary.problems:
        if not (quiet and problem.is_warning):
            print(f"llma.ray: {problem}", file=sys.stderr)
    if not quiet:
        print(f"llma.ray: {summary}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
