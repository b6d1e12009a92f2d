"""Command line of the builder."""

import argparse
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sample_logs.builder import delay_class, experiment, flights, minutes, shop
from sample_logs.builder.source import download, read_flights

WORKSPACE = Path(__file__).resolve().parent.parent


def main() -> None:
    """Build the projects of the workspace: three of real flights, and a simulated shop."""
    parser = argparse.ArgumentParser(prog="python -m sample_logs.builder", description=main.__doc__)
    parser.add_argument("--source", type=Path, help="folder with flights.csv.zip and the other tables")
    parser.add_argument("--output", type=Path, default=WORKSPACE, help="the workspace to write into")
    parser.add_argument("--measure-latency", action="store_true", help="score row by row again (minutes)")
    parser.add_argument(
        "--only", choices=["flights", "shop"], help="build only these (the shop needs no source)"
    )
    options = parser.parse_args()
    if options.only != "flights":
        shop.build(options.output / "shop")
    if options.only == "shop":
        return
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        # One thread: sums taken in another order would change the last digits of a score.
        table = read_flights(options.source or download(Path(temporary)))
        flights.build(table, options.output / "flights", measure_latency=options.measure_latency)
        experiment.build(table, options.output / "flights")
        delay_class.build(table, options.output / "flights_delay_class")
        minutes.build(table, options.output / "flights_minutes")


if __name__ == "__main__":
    main()
