"""List prices of us-east-1 in US dollars, without free tiers and savings plans: enough to see the largest part.

https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/api-gateway/pricing/
"""

AS_OF = "2026-11-25"

PER_MILLION_INVOCATIONS = 0.20
#: A second of a GB of the function's duration and, since 2025-08, of its INIT phase, by architecture.
PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
#: The first 333 million (REST) or 300 million (HTTP) requests of a month.
PER_MILLION_CALLS = {"rest": 3.50, "http": 1.00}
