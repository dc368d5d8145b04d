"""Where cold starts are measured: functions laid out as Lambda unpacks them, started under AWS's runtime client."""
