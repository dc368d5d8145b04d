"""CloudWatch's statistics of a period, over values stored as counts."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from serinus.offline.core.errors import AwsError, NotModelled

#: Distinct values that one bucket stores exactly; later ones are rounded to three significant digits.
EXACT_VALUES = 1000

PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")
TRIMMED_COUNT = re.compile(r"(?i)tc\((\d+(?:\.\d{1,10})?)?:(\d+(?:\.\d{1,10})?)?\)")
OTHER_EXTENDED = re.compile(r"(?i)(tm|wm|tc|ts|pr|iqm)[\d.(:%)]*")


@dataclass(slots=True)
class Bucket:
    """The values of one metric within one interval: a minute, or a second at high resolution."""

    sample_count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    #: The count of each value.
    values: dict[float, float] = field(default_factory=dict)
    #: False if a statistic set was added whose single values are unknown.
    has_values: bool = True

    def add(self, value: float, count: float) -> None:
        self.sample_count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        if len(self.values) >= EXACT_VALUES and value not in self.values:
            value = float(f"{value:.3g}")
        self.values[value] = self.values.get(value, 0.0) + count

    def add_set(self, sample_count: float, total: float, minimum: float, maximum: float) -> None:
        """Add a statistic set; its values are known only if all of them are equal."""
        if minimum == maximum and math.isclose(total, minimum * sample_count, rel_tol=1e-9):
            self.add(minimum, sample_count)
            return
        self.has_values = False
        self.sample_count += sample_count
        self.total += total
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)

    def merge(self, other: "Bucket", *, with_values: bool) -> None:
        self.sample_count += other.sample_count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.has_values = self.has_values and other.has_values
        for value, count in other.values.items() if with_values else ():
            self.values[value] = self.values.get(value, 0.0) + count


def merged(buckets: Iterable[Bucket], *, with_values: bool = True) -> Bucket:
    """All buckets merged into one; without the single values if only simple statistics are needed."""
    whole = Bucket()
    for bucket in buckets:
        whole.merge(bucket, with_values=with_values)
    return whole


SIMPLE: dict[str, Callable[[Bucket], float]] = {
    "SampleCount": lambda bucket: bucket.sample_count,
    "Sum": lambda bucket: bucket.total,
    "Average": lambda bucket: bucket.total / bucket.sample_count,
    "Minimum": lambda bucket: bucket.minimum,
    "Maximum": lambda bucket: bucket.maximum,
}


def percentile_of(statistic: str) -> float | None:
    """99.9 for "p99.9"; None for a statistic that is not a percentile."""
    match = PERCENTILE.fullmatch(statistic)
    return float(match[1]) if match and float(match[1]) <= 100 else None


def trimmed_bounds(statistic: str) -> tuple[float, float] | None:
    """(0.005, 0.03) for "TC(0.005:0.03)", the count of values above the first and up to the second; an omitted
    bound is open. None for a statistic that is not a trimmed count between absolute bounds.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    match = TRIMMED_COUNT.fullmatch(statistic)
    if match is None or (match[1] is None and match[2] is None):
        return None
    low, high = match[1], match[2]
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def check_statistic(statistic: str, parameter: str = "Statistic") -> None:
    """Raise for a statistic that CloudWatch does not have, or that this cloud does not model."""
    if statistic in SIMPLE or percentile_of(statistic) is not None or trimmed_bounds(statistic) is not None:
        return
    if OTHER_EXTENDED.fullmatch(statistic):
        raise NotModelled(
            f"the CloudWatch statistic {statistic}",
            "Modelled: " + ", ".join(SIMPLE) + ", pNN.NN and TC(low:high).",
        )
    raise AwsError("InvalidParameterValue", f"The value {statistic} of {parameter} is not supported.", status=400)


def value_of(bucket: Bucket, statistic: str) -> float | None:
    """The statistic over the bucket; None if it has no data point, such as a percentile of negatives.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles
    """
    if bucket.sample_count <= 0:
        return None
    if statistic in SIMPLE:
        return SIMPLE[statistic](bucket)
    if not bucket.has_values or bucket.minimum < 0:
        return None
    if (bounds := trimmed_bounds(statistic)) is not None:
        return sum(count for value, count in bucket.values.items() if bounds[0] < value <= bounds[1])
    percentile = percentile_of(statistic)
    return None if percentile is None else percentile_value(bucket.values, percentile)


def percentile_value(values: dict[float, float], percentile: float) -> float:
    """The percentile by linear interpolation between the two nearest of the sorted values."""
    ordered = sorted(values.items())
    rank = (sum(values.values()) - 1) * percentile / 100
    below, above = _value_at(ordered, math.floor(rank)), _value_at(ordered, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))


def _value_at(ordered: list[tuple[float, float]], index: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if index < seen:
            return value
    return ordered[-1][0]


def too_few_samples(statistic: str, sample_count: float) -> bool:
    """Whether a percentile has too few samples, so that `EvaluateLowSampleCountPercentile` applies.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#percentiles-with-low-samples
    """
    percentile = percentile_of(statistic)
    if percentile is None:
        return False
    share = percentile / 100
    needed = 10 / (1 - share) if 0.5 <= share < 1 else 10 / share if 0 < share < 0.5 else math.inf
    return sample_count < needed * (1 - 1e-9)
