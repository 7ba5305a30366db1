"""boto3 as a client of the emulator: reads calls from stdin, writes what became of them to stdout, a line of JSON each.

    client.py URL

A call is `{"request": {...}}` with the arguments of `batch_meter_usage`, and where they differ from the emulator's own
`key`, `secret`, `token` and `region`; with `attempts` beyond 1 boto3 tries again by itself. What became of it is
`{"answer": {...}}`, with timestamps in seconds, or `{"exception": CLASS, "code": NAME, "status": HTTP}`, whose class is
`ClientError` for an error that the model does not give to the operation.
"""

import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError


def client(url, call):
    """What is wrong with a request is for the emulator to find: boto3 checks nothing by itself."""
    config = Config(
        parameter_validation=False,
        retries={"mode": "standard", "total_max_attempts": call.get("attempts", 1)},
    )
    return boto3.client(
        "meteringmarketplace",
        endpoint_url=url,
        region_name=call.get("region", "us-east-1"),
        aws_access_key_id=call.get("key", "AKIDEXAMPLE"),
        aws_secret_access_key=call.get("secret", "secret"),
        aws_session_token=call.get("token"),
        config=config,
    )


def seconds(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(type(value).__name__)


def made(url, call):
    try:
        answer = client(url, call).batch_meter_usage(**call["request"])
    except ClientError as error:
        named, metadata = error.response["Error"], error.response["ResponseMetadata"]
        return {"exception": type(error).__name__, "code": named["Code"], "status": metadata["HTTPStatusCode"]}
    except HTTPClientError as error:
        return {"exception": type(error).__name__}
    attempts = answer.pop("ResponseMetadata")["RetryAttempts"] + 1
    return {"answer": answer, "attempts": attempts}


for line in sys.stdin:
    print(json.dumps(made(sys.argv[1], json.loads(line)), default=seconds), flush=True)
