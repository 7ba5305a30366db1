"""Sums up a month of usage as a plain script does: one object after the other.

Arguments: bucket, prefix, and how many objects at most. Prints one JSON document: `objects`, `seconds` (from the first request to the
last sum), and `charges` (customer, dimension, sum), sorted.
"""

import json
import sys
import time

import boto3

bucket, prefix, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
s3 = boto3.client("s3")
sums = {}
objects = 0
begun = time.monotonic()
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
    for listed in page.get("Contents", []):
        if objects == most:
            break
        body = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
        for record in json.loads(body):
            key = (record["externalPayerId"], record["dimension"])
            sums[key] = sums.get(key, 0) + int(record["value"])
        objects += 1
    if objects == most:
        break
seconds = time.monotonic() - begun
charges = [[customer, dimension, total] for (customer, dimension), total in sorted(sums.items())]
print(json.dumps({"objects": objects, "seconds": seconds, "charges": charges}))
