"""Deliveries on behalf of AWS services: to functions, queues and topics."""
