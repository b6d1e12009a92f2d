"""Telemetry logs as typed tables, read where they lie, with everything that is wrong with them counted."""
