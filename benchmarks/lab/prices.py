"""Prices of us-east-1 beside those of `infra.prices`, in US dollars, without free tiers, savings plans and
transfer.

Looked up on 2026-11-25 in copies of AWS's pricing pages and of its Price List that others quote: Lambda's as
published 2026-09-19, API Gateway's 2026-09-21, Fargate's as of March 2026. AWS's own pages could not be opened
from where this was written. For arm64 no quote of the two provisioned prices was found: they are x86_64's less a
fifth, as AWS's other arm64 prices are.
https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/api-gateway/pricing/
https://aws.amazon.com/fargate/pricing/ https://aws.amazon.com/elasticloadbalancing/pricing/
"""

#: A second of a GB's duration in an environment kept ready.
PROVISIONED_DURATION_PER_GB_SECOND = {"x86_64": 0.0000097222, "arm64": 0.0000077778}
#: SnapStart of Python: each GB that is restored.
RESTORE_PER_GB = 0.0001397998

#: Fargate on x86_64, and the load balancer in front of it, without its capacity units.
FARGATE_PER_VCPU_HOUR = 0.04048
FARGATE_PER_GB_HOUR = 0.004445
BALANCER_PER_HOUR = 0.0225
