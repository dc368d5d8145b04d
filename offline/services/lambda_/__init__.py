"""AWS Lambda: functions, versions, aliases and layers, and their invocation."""
