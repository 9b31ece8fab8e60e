"""Writes the CloudFormation that AWS makes of template.yaml: cfn-lint sees mistakes in it that it does not see before."""

import json
import sys
from unittest import mock

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def translate(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    with mock.patch("boto3.session.Session.region_name", "us-east-1"):
        translator = Translator(managed_policy_map={}, sam_parser=Parser())
        return translator.translate(template, parameter_values={})


if __name__ == "__main__":
    json.dump(translate(sys.argv[1]), sys.stdout, indent=1)
