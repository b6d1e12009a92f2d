"""What Prometheus is told: every number with its interval, states of alerts, freshness and objectives."""
