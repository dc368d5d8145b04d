"""Reviews a rollout: golden requests and CloudWatch's numbers to a judgement. It needs the layers' NumPy."""

from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.contract.prediction_bins import read_bins_id
from serinus.lambda_handlers.hooks.clients import HookContext
from serinus.lambda_handlers.hooks.deployment import Deployment
from serinus.lambda_handlers.hooks.judgement import Judgement
from serinus.lambda_handlers.hooks.probe import Expectation, Probe, TimeLimits, probe
from serinus.lambda_handlers.hooks.rollout_window import read_rollout
from serinus.lambda_handlers.hooks.settings import Settings
from serinus.lambda_handlers.hooks.verdict import Rules, judge
from serinus.lambda_handlers.hooks.version import Version

#: Golden rows sent at each look; the whole set goes round within minutes.
PROBED_ROWS = 16


def review(
    deployment: Deployment, settings: Settings, context: HookContext, now: float, *, bake_over: bool
) -> Judgement:
    """The judgement as of ``now`` (epoch seconds), with golden requests to the canary itself."""
    expected = Expectation.read(find_model_folder(context.environ))
    rows = min(PROBED_ROWS, settings.rows_per_request)
    canary = Version(context.clients.functions, settings.function, deployment.canary)
    result = probe(canary, expected.slice(int(now // 60) * rows, rows), TimeLimits(settings.warm_limit_ms))
    return judge_with_probe(result, deployment, settings, context, now, bake_over=bake_over)


def judge_with_probe(
    probe: Probe, deployment: Deployment, settings: Settings, context: HookContext, now: float, *, bake_over: bool
) -> Judgement:
    """The judgement as of ``now`` (epoch seconds), given the result of the golden requests."""
    bins = read_bins_id(find_model_folder(context.environ))
    rollout = read_rollout(context.clients.cloudwatch, deployment, settings, bins, now)
    rules = Rules(minimum_requests=settings.minimum_requests, inconclusive=settings.inconclusive)
    return judge(rollout, probe, rules, bake_over=bake_over)
