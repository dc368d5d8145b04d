"""List prices of us-east-1 in US dollars, without free tiers and savings plans: enough to see the largest part.

https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/api-gateway/pricing/
https://aws.amazon.com/cloudwatch/pricing/ https://aws.amazon.com/kms/pricing/ https://aws.amazon.com/waf/pricing/
"""

AS_OF = "2026-11-25"

HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600

PER_MILLION_INVOCATIONS = 0.20
#: A second of a GB of the function's duration and, since 2025-08, of its INIT phase, by architecture.
PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
#: A second of a GB kept ready by provisioned concurrency. For arm64 no quote was found: a fifth less.
PROVISIONED_PER_GB_SECOND = {"x86_64": 0.0000041667, "arm64": 0.0000033334}
#: SnapStart of Python: a GB of a version's snapshot kept for a second.
SNAPSHOT_PER_GB_SECOND = 0.0000015046
#: The first 333 million (REST) or 300 million (HTTP) requests of a month.
PER_MILLION_CALLS = {"rest": 3.50, "http": 1.00}

#: A month of one metric of an alarm; a metric-math alarm is billed for each metric that it refers to.
PER_ALARM_METRIC = 0.10
#: The same with a period of less than a minute.
PER_FAST_ALARM_METRIC = 0.30
PER_COMPOSITE_ALARM = 0.50
PER_DASHBOARD = 3.00
PER_LOGGED_GB = 0.50
PER_KMS_KEY = 1.00
PER_WEB_ACL = 5.00
PER_WEB_ACL_RULE = 1.00
#: A month of one metric that is sent by ourselves, prorated by the hour and billed only while it is sent.
PER_CUSTOM_METRIC = 0.30
#: Metrics that GetMetricData returns, and other calls of CloudWatch's API.
PER_THOUSAND_METRICS_READ = 0.01
