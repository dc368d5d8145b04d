"""Makes live traffic the reference: people have looked at a drift and say that this is how traffic is now."""

import getpass
from datetime import UTC, datetime
from typing import Any

from serinus.cli.console import notice
from serinus.cli.errors import CliError
from serinus.cli.monitoring.reader import MonitorBucket

#: Fewer rows would be a poor reference.
FEWEST_ROWS = 1000
#: With fewer rows or hours, the reference is taken, and its doubts are said.
SMALL_ROWS, FEW_HOURS = 5000, 24


def accept_live(
    bucket: MonitorBucket, endpoint: str, function: str, *, baseline: str | None, days: int, now: datetime
) -> dict[str, Any]:
    """Write the last ``days`` of hours that were looked at as the reference of ``baseline``, by default the one
    with the most rows; returns what was written, with its number. Raises `CliError` where there is too little."""
    from serinus.lambda_handlers.contract.monitored import Monitored
    from serinus.modelpack.monitored import with_live_counts

    last = int(now.timestamp()) // 3600
    sums: dict[str, tuple[int, list[int]]] = {}
    hours = 0
    for hour in range(last - 24 * days, last):
        data = bucket.store.get_hour(function, hour)
        hours += data is not None
        for name, blocks in (data or {"blocks": {}})["blocks"].items():
            for _, _, _, rows, counts in blocks:
                before = sums.get(name, (0, [0] * len(counts)))
                sums[name] = (before[0] + rows, [a + b for a, b in zip(before[1], counts, strict=True)])
    if baseline is not None and baseline not in sums:
        known = ", ".join(sorted(sums)) or "none"
        raise CliError(f"--baseline {baseline}: {endpoint} counted under {known} in the last {days} days.")
    chosen = baseline or max(sums, key=lambda name: sums[name][0], default=None)
    rows, counts = sums.get(chosen or "", (0, []))
    if chosen is None or rows < FEWEST_ROWS:
        raise CliError(
            f"{rows:,} rows of {endpoint} were counted in the last {days} days; a reference requires at least "
            f"{FEWEST_ROWS:,}. Wait for more traffic, or accept more days."
        )
    kept = bucket.store.get_reference(function, chosen)
    if kept is None:
        raise CliError(f"baseline {chosen} of {endpoint} has no packaged reference. Deploy the endpoint again.")
    until = datetime.fromtimestamp(last * 3600, UTC)
    described = f"live traffic of {days} days until {until:%Y-%m-%d %H:%M} UTC, {rows:,} rows"
    accepted = with_live_counts(Monitored.from_json(kept["reference"]), described, rows, counts)
    data = {
        "reference": accepted.to_json(),
        "accepted": {"by": getpass.getuser(), "at": now.isoformat(), "days": days, "hours": hours, "rows": rows},
    }
    number = kept["number"] + 1
    if not bucket.store.put_reference(function, chosen, number, data):
        raise CliError(f"somebody else accepted reference {number} of {endpoint} just now. Look at it first.")
    if rows < SMALL_ROWS or hours < FEW_HOURS:
        notice(
            f"{rows:,} rows of {hours} hours are little: small drift is seen late, and hours of the day that are "
            f"missing are drift. Accept again once there are {SMALL_ROWS:,} rows of a whole day."
        )
    return {"endpoint": endpoint, "baseline": chosen, "number": number, **data["accepted"], "reference": described}
