"""One process of boto3 clients that call as fast as they can for a while, and say in JSON what they saw."""

import argparse
import itertools
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

CARD = json.dumps({"intended_uses": {"purpose_of_model": "to rank", "intended_uses": "x" * 2000}})
CARDS = 100
BUCKET = "benchmark"
BODY = b"x" * 4096


def session(options: argparse.Namespace) -> boto3.Session:
    """A session with the key pair that was given."""
    return boto3.Session(aws_access_key_id=options.key, aws_secret_access_key=options.secret, region_name="us-east-1")


def fill(clients: boto3.Session, url: str) -> None:
    """Make what the calls are about."""
    sagemaker, s3 = clients.client("sagemaker", endpoint_url=url), clients.client("s3", endpoint_url=url)
    for number in range(CARDS):
        sagemaker.create_model_card(ModelCardName=f"card-{number}", Content=CARD, ModelCardStatus="Draft")
    s3.create_bucket(Bucket=BUCKET)


def calls(clients: boto3.Session, url: str) -> dict[str, Callable[[int], Any]]:
    """The calls by name; the number is never used twice in a process."""
    settings = Config(max_pool_connections=64, retries={"total_max_attempts": 1})
    sagemaker = clients.client("sagemaker", endpoint_url=url, config=settings)
    s3 = clients.client("s3", endpoint_url=url, config=settings)
    mark = uuid.uuid4().hex[:12]
    return {
        "describe card": lambda number: sagemaker.describe_model_card(ModelCardName=f"card-{number % CARDS}"),
        "list cards": lambda number: sagemaker.list_model_cards(MaxResults=20),
        "create card": lambda number: sagemaker.create_model_card(
            ModelCardName=f"made-{mark}-{number}", Content=CARD, ModelCardStatus="Draft"
        ),
        "put object 4 KiB": lambda number: s3.put_object(Bucket=BUCKET, Key=f"{mark}/{number}", Body=BODY),
    }


def measure(call: Callable[[int], Any], *, threads: int, seconds: float) -> dict[str, Any]:
    """Call for a while in several threads."""
    numbers, took = itertools.count(), []
    failed: list[str] = []
    until = time.perf_counter() + seconds
    cpu = time.process_time()

    def run() -> None:
        while (begun := time.perf_counter()) < until:
            try:
                call(next(numbers))
            except Exception as problem:  # noqa: BLE001 - every kind of failure is told
                failed.append(str(problem)[:200])
                return
            took.append(time.perf_counter() - begun)

    crew = [threading.Thread(target=run) for _ in range(threads)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    return {"took": took, "failed": failed, "cpu": time.process_time() - cpu}


def main() -> int:
    """Do what the arguments say; wait for a line on the standard input before the measuring begins."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "key", "secret", "call"):
        parser.add_argument(name)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    clients = session(options)
    if options.call == "fill":
        fill(clients, options.url)
        return 0
    call = calls(clients, options.url)[options.call]
    call(1 << 40)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(measure(call, threads=options.threads, seconds=options.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
