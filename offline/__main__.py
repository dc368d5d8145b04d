"""`python -m offline`: one cloud in the foreground, until SIGINT or SIGTERM."""

import argparse
import logging
import os
import sys
from pathlib import Path

from offline.authorization.root_key import RootKey
from offline.cloud.config import DEFAULT_PORT, CloudConfig
from offline.errors import OfflineError
from offline.shell import shielded


def main() -> int:
    """Parse the arguments, serve; 1 when the cloud cannot start."""
    defaults = CloudConfig()
    parser = argparse.ArgumentParser(prog="python -m offline", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free port")
    parser.add_argument("--account", default=defaults.account_id, help="account it plays, 12 digits")
    parser.add_argument("--region", default=defaults.region)
    parser.add_argument("--speed", type=float, default=defaults.clock_factor, help="cloud seconds per real second")
    parser.add_argument("--metric-delay", type=float, default=defaults.metric_delay_s, help="cloud seconds")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="for alias weights and injected faults")
    parser.add_argument("--state", type=Path, default=None, help="keep state in this folder across restarts")
    parser.add_argument(
        "--credentials",
        type=Path,
        default=None,
        help="the owner's access key, as a file of AWS's shared credentials; made where there is none",
    )
    arguments = parser.parse_args()
    # State, logs and what functions leave behind are for whoever started the cloud.
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    surroundings = shielded(os.environ) | {"MOTO_ACCOUNT_ID": arguments.account}
    os.environ.clear()
    os.environ.update(surroundings)
    from offline.cloud.serve import serve

    named = arguments.credentials
    try:
        key = RootKey.read(named) if named is not None and named.exists() else RootKey.new()
        serve(
            CloudConfig(
                root_key=key,
                host=arguments.host,
                port=arguments.port,
                account_id=arguments.account,
                region=arguments.region,
                clock_factor=arguments.speed,
                metric_delay_s=arguments.metric_delay,
                seed=arguments.seed,
                state_dir=arguments.state,
            ),
            named,
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
