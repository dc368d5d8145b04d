"""Whether the settings of cold starts are compatible with the others."""

from collections.abc import Iterator

from serinus.infra.lint.finding import Problem
from serinus.infra.settings import Endpoint, Settings


def check_ignored_provisioning(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Provisioned settings that have no effect. Lambda allows provisioned concurrency or SnapStart, not both
    (docs.aws.amazon.com/lambda/latest/dg/snapstart.html)."""
    config = endpoint.settings
    if config.cold_start != "provisioned":
        for key in sorted(config.provisioned.model_fields_set):
            yield Problem(
                "warning",
                ("provisioned", key),
                f'cold_start is "{config.cold_start}", so it has no effect',
                'Remove it, or set cold_start = "provisioned"',
            )


def check_reserved(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """More environments than the function may have at all, which Lambda rejects
    (docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html)."""
    config = endpoint.settings
    reserved, most = config.reserved_concurrency, config.provisioned.most
    if config.cold_start == "provisioned" and reserved is not None and most > reserved:
        yield Problem(
            "error",
            ("reserved_concurrency",),
            f"{reserved} is less than the {most} environments to be kept ready",
            f"Reserve {most} or more, or keep fewer ready",
        )


def check_scaling(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Bounds that leave scaling nothing to do."""
    config, provisioned = endpoint.settings, endpoint.settings.provisioned
    if config.cold_start != "provisioned":
        return
    if provisioned.maximum is not None and provisioned.maximum < max(
        provisioned.environments, *provisioned.schedule.values(), 0
    ):
        yield Problem(
            "error",
            ("provisioned", "maximum"),
            f"{provisioned.maximum} is less than another count in this table",
            "Set at least the largest of them",
        )
    elif provisioned.target_percent is not None and provisioned.most == provisioned.environments:
        yield Problem(
            "error",
            ("provisioned", "target_percent"),
            f"there is nothing to scale between {provisioned.environments} and {provisioned.most} environments",
            "Set a larger maximum",
        )
    elif provisioned.target_percent is None and provisioned.maximum is not None:
        yield Problem(
            "warning",
            ("provisioned", "maximum"),
            "target_percent is unset, so nothing scales up to it",
            "Set target_percent, or remove it",
        )


def check_weights(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Environments kept ready behind an alias whose traffic is split. One of AWS's pages describes both together;
    deployments report "Alias with weights can not be used with Provisioned Concurrency", and a stuck alias
    (docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html, hashicorp/terraform#24957,
    aws/serverless-application-model#1296)."""
    config = endpoint.settings
    if config.cold_start != "provisioned" or config.rollout.strategy not in ("canary", "linear"):
        return
    yield Problem(
        "error",
        ("cold_start",),
        f"strategy {config.rollout.strategy} splits traffic by weights, and Lambda may reject weights on an alias "
        "whose environments are kept ready",
        'Set rollout.strategy = "blue_green"',
    )
