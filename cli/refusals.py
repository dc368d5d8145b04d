"""The errors that a user can cause, whose message is shown as it is."""


def refusals() -> tuple[type[Exception], ...]:
    """The base classes of our rooms' errors and of AWS's; imported late, since `--help` needs none of them."""
    from botocore.exceptions import BotoCoreError, ClientError

    from serinus.cli.errors import CliError
    from serinus.infra.errors import InfraError
    from serinus.lambda_handlers.contract.errors import ContractError
    from serinus.modelpack.errors import ModelpackError
    from serinus.offline.core.errors import OfflineError

    return CliError, InfraError, ContractError, ModelpackError, OfflineError, ClientError, BotoCoreError
