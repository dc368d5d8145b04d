"""The cloud's own page: what runs in it, as a browser shows it. AWS has its console; this is the small one."""
