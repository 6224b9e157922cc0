"""The test mode: nobody proves anything, everything can be emptied, and it never runs where others can reach it."""

import boto3
import pytest
from botocore.config import Config

from modelward import settings
from modelward.kernel.errors import Invalid
from support.aws_inside import Inside
from support.servers import Server


def test_the_test_mode_is_refused_where_others_can_reach_the_server():
    for host in ("0.0.0.0", "10.0.0.1", "::"):
        with pytest.raises(Invalid, match="lets everybody in"):
            settings.load({}, aws_test_mode=True, host=host)


def test_any_key_is_let_in_and_a_reset_empties_the_account(tmp_path):
    with Server(tmp_path / "house", MODELWARD_AWS_TEST_MODE="1") as server:
        options = {
            "endpoint_url": server.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        sagemaker, s3 = boto3.client("sagemaker", **options), boto3.client("s3", **options)
        for _ in range(2):
            sagemaker.create_model_card(ModelCardName="c", Content="{}", ModelCardStatus="Draft")
            sagemaker.update_model_card(ModelCardName="c", Content='{"intended_uses": {"purpose_of_model": "x"}}')
            s3.create_bucket(Bucket="drawer")
            s3.put_object(Bucket="drawer", Key="k", Body=b"x")

            emptied = server.client().get("/self")  # who is there stays
            with _posted(f"{server.url}/moto-api/reset") as answer:
                assert answer.status == 200

            assert emptied.id == "owner"
            assert sagemaker.list_model_cards()["ModelCardSummaries"] == []
            assert s3.list_buckets()["Buckets"] == []
        assert "TEST MODE" in server.log()


def _posted(url):
    import urllib.request

    return urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30)


def test_without_the_test_mode_there_is_no_reset_and_no_unknown_key(inside):
    raw = inside.json("ListModelCards", b"{}")

    assert inside.send(raw._replace(path="/moto-api/reset", headers=[("host", "127.0.0.1:8321")])).status in (404, 405)


def test_in_test_mode_a_page_of_another_site_still_cannot_call(tmp_path):
    opened = Inside(tmp_path / "house", aws_test_mode=True)
    raw = opened.json("ListModelCards", b"{}")

    def named(host):
        return opened.send(raw._replace(headers=[("host", host), *[each for each in raw.headers if each[0] != "host"]]))

    assert named("evil.example").status == 421
    assert named("api.sagemaker.us-east-1.amazonaws.com").status in (200, 400)
    opened.close()
