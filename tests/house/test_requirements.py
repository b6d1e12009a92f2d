"""The locks name every requirement with hashes, and no index."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.source import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def entries(lock):
    """Versions a lock allows for each package: more than one where they depend on the Python."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = defaultdict(list)
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s+--hash=", line)
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), line
        parsed = Requirement(requirement)
        found[canonicalize_name(parsed.name)].append(next(iter(parsed.specifier)).version)
    return found


def declared(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    for extra in extras:
        required += project["project"]["optional-dependencies"][extra]
    return [Requirement(text) for text in required]


@pytest.mark.parametrize("lock,extras", [(LOCKS[0], []), (LOCKS[1], ["dev"])])
def test_a_lock_satisfies_the_project(lock, extras):
    locked = entries(lock)
    for requirement in declared(*extras):
        versions = locked[canonicalize_name(requirement.name)]
        assert versions, f"{requirement.name} is not in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in versions), (requirement, versions)


def test_development_and_runtime_agree():
    runtime, development = map(entries, LOCKS)
    assert {name: development[name] for name in runtime} == runtime


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)


def test_upper_bounds_let_new_releases_in():
    """A bound stops before the next major version, never at the release of the day."""
    for requirement in declared():
        uppers = [part.version for part in requirement.specifier if part.operator in {"<", "<=", "==", "~="}]
        assert all(re.fullmatch(r"\d+", upper) for upper in uppers), requirement
