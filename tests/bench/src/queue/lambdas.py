"""What the Lambda functions of AWS's guide do, in one process: all pending records are read, grouped, metered group by group, and marked
record by record. Unlike them it goes on to the next page of the index, groups by the hour of the usage, and keeps the rate.

Takes how many groups go into one call. Prints one JSON document: `records`, `calls`, and the seconds of `query`, `meter` and `mark`.
"""

import collections
import datetime
import json
import os
import sys
import time

import boto3

at_once = int(sys.argv[1])
table, subscribers = os.environ["METERING_RECORDS_TABLE"], os.environ["SUBSCRIBERS_TABLE"]
dynamodb, metering = boto3.client("dynamodb"), boto3.client("meteringmarketplace")
seconds = collections.Counter()
HOUR = 3_600_000


def pending():
    asked = {
        "TableName": table,
        "IndexName": "PendingMeteringRecordsIndex",
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": "metering_pending"},
        "ExpressionAttributeValues": {":p": {"S": "true"}},
    }
    for page in dynamodb.get_paginator("query").paginate(**asked):
        yield from page["Items"]


begun = time.monotonic()
groups = collections.defaultdict(list)
for item in pending():
    hour = int(item["create_timestamp"]["N"]) // HOUR
    groups[item["productCode"]["S"], item["customerAWSAccountId"]["S"], item["dimension"]["S"], hour].append(item)
seconds["query"] = time.monotonic() - begun

calls = collections.deque(maxlen=10)
called = 0


def meter(product, usage):
    """Ten calls in any second and no more; a little is left for the way."""
    global called
    if len(calls) == calls.maxlen:
        time.sleep(max(0, calls[0] + 1.1 - time.monotonic()))
    calls.append(time.monotonic())
    called += 1
    answer = metering.batch_meter_usage(ProductCode=product, UsageRecords=usage)
    assert len(answer["Results"]) == len(usage) and not answer["UnprocessedRecords"], answer
    return answer["Results"]


def mark(product, customer, dimension, quantity, items, result):
    response = json.dumps({"Results": [result], "UnprocessedRecords": []}, default=str)
    for item in items:
        dynamodb.update_item(
            TableName=table,
            Key={name: item[name] for name in ("customerAWSAccountId", "create_timestamp")},
            UpdateExpression="SET #p = :p, #f = :f, #r = :r",
            ExpressionAttributeNames={"#p": "metering_pending", "#f": "metering_failed", "#r": "metering_response"},
            ExpressionAttributeValues={":p": {"S": "false"}, ":f": {"BOOL": False}, ":r": {"S": response}},
        )
    key = {"productCode": {"S": product}, "customerAWSAccountId": {"S": customer}}
    if customer not in counted:
        counted.add(customer)
        dynamodb.update_item(
            TableName=subscribers,
            Key=key,
            UpdateExpression="SET #t = if_not_exists(#t, :none)",
            ExpressionAttributeNames={"#t": "totalMeteringSent"},
            ExpressionAttributeValues={":none": {"M": {}}},
        )
    dynamodb.update_item(
        TableName=subscribers,
        Key=key,
        UpdateExpression="SET #t.#d = if_not_exists(#t.#d, :zero) + :q",
        ExpressionAttributeNames={"#t": "totalMeteringSent", "#d": dimension},
        ExpressionAttributeValues={":zero": {"N": "0"}, ":q": {"N": str(quantity)}},
    )


counted = set()
waiting = list(groups.items())
for first in range(0, len(waiting), at_once):
    these = waiting[first : first + at_once]
    product = these[0][0][0]
    sums = [sum(int(item["quantity"]["N"]) for item in items) for _, items in these]
    usage = [
        {
            "Timestamp": datetime.datetime.fromtimestamp(hour * HOUR / 1000, datetime.timezone.utc),
            "CustomerAWSAccountId": customer,
            "Dimension": dimension,
            "Quantity": quantity,
        }
        for ((_, customer, dimension, hour), _), quantity in zip(these, sums)
    ]
    begun = time.monotonic()
    results = meter(product, usage)
    seconds["meter"] += time.monotonic() - begun
    begun = time.monotonic()
    for ((_, customer, dimension, _), items), quantity, result in zip(these, sums, results):
        mark(product, customer, dimension, quantity, items, result)
    seconds["mark"] += time.monotonic() - begun

print(json.dumps({"records": sum(map(len, groups.values())), "calls": called, **seconds}))
