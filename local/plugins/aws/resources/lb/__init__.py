"""Elastic Load Balancing: load balancers, target groups, listeners and rules."""
