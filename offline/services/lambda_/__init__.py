"""AWS Lambda: functions, versions, aliases and layers, and every way to invoke them."""
