"""Tables in, sums out: all SQL that scans lives here, written so that it runs on other engines too."""
