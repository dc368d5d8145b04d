"""Where cold starts are measured: functions laid out as on Lambda, started under AWS's runtime client."""
