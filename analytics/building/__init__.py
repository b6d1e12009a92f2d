"""What is kept up to date, and how: aggregates -> stored parts, in this process or on a cluster."""
