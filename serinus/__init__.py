"""Put trained models into production on AWS Lambda, and rehearse every release on this machine first."""
