"""Addresses come from the environment, and their secrets go nowhere."""

from __future__ import annotations

from analytics.alerts.addresses import app_address, find_addresses

SECRET = "slack://T0KEN/B0KEN/S3cr3t"


def test_nobody_is_told():
    none = find_addresses({})
    assert (none.page, none.ticket, none.route("page")) == ((), (), ())


def test_one_list_for_all_and_one_a_severity():
    said = {
        "ASSAY_NOTIFY": f"{SECRET}  json://hook.example/a",
        "ASSAY_NOTIFY_PAGE": "pagerduty://key@integration",
    }
    found = find_addresses(said)
    assert [address.url for address in found.page] == ["pagerduty://key@integration"]
    assert [address.url for address in found.ticket] == said["ASSAY_NOTIFY"].split()
    assert set(found.by_name) == {*found.route("page"), *found.route("ticket")}
    assert len(found.by_name) == 3


def test_a_name_says_nothing_of_the_secret():
    (address,) = find_addresses({"ASSAY_NOTIFY": SECRET}).page
    assert address.name.startswith("slack-")
    assert len(address.name) == len("slack-") + 4
    assert "S3cr3t" not in repr(find_addresses({"ASSAY_NOTIFY": SECRET}))


def test_names_hold_many_apart():
    urls = [f"json://host/{number}" for number in range(600)]
    found = find_addresses({"ASSAY_NOTIFY": " ".join([*urls, urls[0]])})
    assert len(found.by_name) == 600
    assert {address.url for address in found.page} == set(urls)
    # the order in which they stand does not matter: a name stays with its address
    assert find_addresses({"ASSAY_NOTIFY": " ".join(reversed(urls))}).by_name == found.by_name


def test_where_the_app_is():
    assert app_address({}) == ""
    assert app_address({"ASSAY_URL": "https://assay.example/ "}) == "https://assay.example"
