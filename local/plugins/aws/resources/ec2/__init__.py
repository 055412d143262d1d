"""EC2: networks, routing, security groups, endpoints and flow logs."""
