"""Reading requests and writing replies of deployed APIs, REST and HTTP alike."""
