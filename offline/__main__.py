"""`python -m serinus.offline`: one cloud in the foreground, until SIGINT or SIGTERM."""

import argparse
import contextlib
import logging
import math
import os
import re
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from serinus.offline.client.shell import shielded
from serinus.offline.core.config import DEFAULT_PORT, STAY, CloudConfig
from serinus.offline.core.errors import OfflineError
from serinus.offline.core.readings import Readings
from serinus.offline.core.root_key import RootKey


def port(text: str) -> int:
    """A port number."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{number} is not a port number; use 0 to 65535")
    return number


def amount(text: str) -> float:
    """A number that is 0 or more, and finite."""
    number = float(text)
    if not 0.0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be a finite number of at least 0")
    return number


def account(text: str) -> str:
    """An account's number."""
    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} must be 12 digits")
    return text


def readings_of(arguments: argparse.Namespace) -> Readings:
    """The defaults, under the file's values, under those of the command line; raises `InvalidReading`."""
    values = {} if arguments.readings is None else Readings.file(arguments.readings)
    if arguments.metric_delay is not None:
        values["metric-delay"] = f"{arguments.metric_delay:g}"
    return Readings().replaced(values | Readings.assignments(arguments.reading))


def close_on_sigterm(at_end: contextlib.ExitStack) -> None:
    """Have ``at_end`` closed before SIGTERM ends the process: its server raises it again after an orderly end."""

    def end(number: int, _frame: FrameType | None) -> None:
        at_end.close()
        signal.raise_signal(number)

    at_end.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, end) or signal.SIG_DFL)


def end_with_stdin() -> None:
    """End this process in order when standard input ends without `STAY`: what held its other end has ended, even
    if killed."""

    def watch() -> None:
        read = b""
        while part := os.read(sys.stdin.fileno(), 64):
            read += part
        if read != STAY:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def main() -> int:
    """Parse the arguments, serve; 1 when the cloud cannot start."""
    defaults = CloudConfig()
    parser = argparse.ArgumentParser(prog="python -m serinus.offline", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, help="0 picks any free port")
    parser.add_argument("--account", type=account, default=defaults.account_id, help="12-digit account number")
    parser.add_argument("--region", default=defaults.region)
    parser.add_argument(
        "--speed", type=amount, default=defaults.clock_factor, help="cloud seconds per real second"
    )
    parser.add_argument(
        "--metric-delay", type=amount, default=None, help="cloud seconds; short for --reading metric-delay=SECONDS"
    )
    parser.add_argument(
        "--reading", action="append", default=[], metavar="NAME=VALUE", help="one of AWS's doubtful behaviours"
    )
    parser.add_argument("--readings", type=Path, default=None, metavar="FILE", help="JSON object of readings")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="for alias weights and injected faults")
    parser.add_argument("--state", type=Path, default=None, help="keep state in this folder across restarts")
    parser.add_argument(
        "--credentials",
        type=Path,
        default=None,
        help="shared credentials file with the owner's access key; created if missing",
    )
    parser.add_argument(
        "--end-with-stdin",
        action="store_true",
        help="end when standard input ends, unless it holds the line `stay`",
    )
    arguments = parser.parse_args()
    # State, logs and what functions leave behind are for whoever started the cloud.
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    surroundings = shielded(os.environ) | {"MOTO_ACCOUNT_ID": arguments.account}
    os.environ.clear()
    os.environ.update(surroundings)
    from serinus.offline.cloud.key_file import default_path, published
    from serinus.offline.cloud.serve import serve

    named = arguments.credentials
    # A file that is there already is read, and never written.
    is_there = named is not None and os.path.lexists(named)

    def keep_key(port: int) -> None:
        # Only now: the file for this port may be that of a cloud that runs.
        path = named or default_path(port)
        if named is None:
            at_end.enter_context(published(key, path))
        elif not is_there:
            key.write(path)
        logging.getLogger("offline").info("calls are signed with the key in %s", path)

    with contextlib.ExitStack() as at_end:
        close_on_sigterm(at_end)
        if arguments.end_with_stdin:
            end_with_stdin()
        try:
            readings = readings_of(arguments)
            key = RootKey.read(named) if is_there else RootKey.new()
            serve(
                CloudConfig(
                    root_key=key,
                    host=arguments.host,
                    port=arguments.port,
                    account_id=arguments.account,
                    region=arguments.region,
                    clock_factor=arguments.speed,
                    readings=readings,
                    seed=arguments.seed,
                    state_dir=arguments.state,
                ),
                keep_key,
            )
        except OfflineError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # A cloud that was up has shut down in order by now; its server then raises again what ended it.
        sys.exit(130)
