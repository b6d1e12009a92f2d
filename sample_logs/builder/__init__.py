"""Builds the sample logs of Assay from the public record of 336,776 flights of 2013.

A maintainer's script, run once: what it writes is committed, and Assay itself never imports it.
`python -m sample_logs.builder --help` from the root of the repository says how to run it.
"""
