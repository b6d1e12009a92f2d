"""Where files lie that are not on this machine: buckets of object storage, named s3://bucket/key or gs://bucket/key."""
