"""Functions as targets of other services: invoked asynchronously, if their resource policy allows the service."""

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import FunctionInvoker


async def invoke_for(
    functions: FunctionInvoker, arn: str, payload: bytes, *, principal: str, source_arn: str
) -> None:
    """Invoke the function ``arn`` with ``payload`` on behalf of ``principal`` (such as "sns.amazonaws.com").

    Raises `AwsError` if the function does not exist, does not allow it, or is throttled.
    """
    parts = arn.split(":")
    region, name, qualifier = parts[3], parts[6], parts[7] if len(parts) > 7 else None
    if not functions.allows(region, name, qualifier, principal=principal, source_arn=source_arn):
        raise AwsError(
            "AccessDeniedException",
            f"{principal} is not authorized to perform lambda:InvokeFunction on {arn}: its resource policy has no "
            f"statement for {source_arn}. AddPermission grants it.",
        )
    await functions.invoke(name, qualifier, payload, region=region, invocation_type="Event")
