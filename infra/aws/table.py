"""Makes the table that template.yaml declares on a DynamoDB-compatible server of your own.

python infra/aws/table.py http://127.0.0.1:8001 parley
"""

import pathlib
import sys

import boto3
from samcli.yamlhelper import yaml_parse

TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "template.yaml"


def make_table(endpoint, name):
    declared = yaml_parse(TEMPLATE.read_text())["Resources"]["Table"]["Properties"]
    parts = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    stream = {"StreamEnabled": True, **declared["StreamSpecification"]}
    # Such a server asks for some key, and takes any.
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                          aws_access_key_id="local", aws_secret_access_key="local")
    client.create_table(TableName=name, StreamSpecification=stream, **{part: declared[part] for part in parts})


if __name__ == "__main__":
    make_table(*sys.argv[1:3])
