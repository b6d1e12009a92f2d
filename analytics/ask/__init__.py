"""Questions put to a project: read aggregates, compute results. One module a family."""
