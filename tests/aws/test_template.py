"""What neither SAM nor cfn-lint sees: that the template speaks of things that exist, in the words of the code."""

import json
import pathlib
import re
import tomllib
import unittest

from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
FUNCTIONS = {name: found for name, found in RESOURCES.items() if found["Type"] == "AWS::Serverless::Function"}
# Who speaks to Telegram, or tells visitors that one can go on there.
TELEGRAM = {"Message", "Visitor", "Admin", "Telegram", "Notifier"}
SECRETS = {"TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "OTP_HASH_SALT", "ORIGIN_SECRET"}
# The keys that a filter on a DynamoDB stream may look at.
RECORD = {"eventName", "dynamodb"}
IMAGE = {"Keys", "NewImage"}


def variables():
    """What shared::config reads."""
    listed = re.search(r"pub const VARIABLES: .*?= \[(.*?)\];", (ROOT / "shared/src/config.rs").read_text(), re.S)
    return set(re.findall(r'"([A-Z0-9_]+)"', listed[1]))


def environment(function):
    common = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return {**common, **function["Properties"].get("Environment", {}).get("Variables", {})}


def filters(node):
    """Every pattern of every stream's filter."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "FilterCriteria":
                for pattern in (entry["Pattern"] for entry in value["Filters"]):
                    yield from [pattern] if isinstance(pattern, str) else pattern["Fn::If"][1:]
            else:
                yield from filters(value)
    elif isinstance(node, list):
        for value in node:
            yield from filters(value)


class Template(unittest.TestCase):
    def test_each_function_is_a_crate_with_that_program(self):
        self.assertEqual(len(FUNCTIONS), 8)
        for name, function in FUNCTIONS.items():
            binary = function["Metadata"]["BuildProperties"]["Binary"]
            manifest = ROOT / function["Properties"]["CodeUri"] / "Cargo.toml"
            programs = [program["name"] for program in tomllib.loads(manifest.read_text())["bin"]]
            self.assertEqual(programs, [binary], name)
            self.assertEqual(name, f"{binary.capitalize()}Function")

    def test_the_functions_are_told_what_the_code_reads_and_nothing_else(self):
        told = set().union(*(environment(function) for function in FUNCTIONS.values()))
        # An address to listen on is the gateway's.
        self.assertEqual(told, variables() - {"LISTEN_ADDR"})

    def test_secrets_come_by_reference_and_only_to_who_needs_them(self):
        needs = {"ORIGIN_SECRET": {"Connect", "Visitor", "Admin", "Telegram"}, "OTP_HASH_SALT": {"Admin"}}
        needs |= dict.fromkeys(("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"), TELEGRAM)
        for secret in SECRETS:
            holders = {name.removesuffix("Function") for name, f in FUNCTIONS.items() if secret in environment(f)}
            self.assertEqual(holders, needs[secret], secret)
            for holder in holders:
                value = json.dumps(environment(FUNCTIONS[f"{holder}Function"])[secret])
                self.assertIn("{{resolve:secretsmanager:", value, f"{holder}: {secret}")

    def test_every_parameter_is_used(self):
        text = json.dumps({key: value for key, value in TEMPLATE.items() if key != "Parameters"})
        for name in TEMPLATE["Parameters"]:
            self.assertRegex(text, rf'"Ref": "{name}"|\$\{{{name}\}}', name)

    def test_who_keeps_or_serves_files_is_told_where_and_nobody_else_may_touch_them(self):
        told = {name.removesuffix("Function") for name, f in FUNCTIONS.items() if "ATTACHMENT_URL" in environment(f)}
        allowed = {}
        for name, role in RESOURCES.items():
            if role["Type"] == "AWS::IAM::Role":
                for policy in role["Properties"].get("Policies", []):
                    for statement in policy["PolicyDocument"]["Statement"]:
                        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                        on_files = [action for action in actions if action.startswith("s3:")]
                        if on_files:
                            self.assertIn("Attachments", json.dumps(statement["Resource"]))
                            allowed.setdefault(name.removesuffix("Role"), set()).update(on_files)
        self.assertEqual(told, set(allowed))
        writing = {"s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}
        self.assertEqual(allowed, {"Visitor": {"s3:GetObject", "s3:ListBucket"}, "Notifier": writing})

    def test_nobody_reaches_a_bucket_but_by_the_stack(self):
        buckets = {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == "AWS::S3::Bucket"}
        self.assertEqual(set(buckets), {"Pages", "Attachments"})
        for name, bucket in buckets.items():
            self.assertTrue(all(bucket["PublicAccessBlockConfiguration"].values()), name)
            self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4, name)
            self.assertIn("BucketEncryption", bucket, name)

    def test_filters_are_json_about_records_of_the_table(self):
        found = list(filters(RESOURCES))
        self.assertEqual(len(found), 3)
        keys = {entry["AttributeName"] for entry in RESOURCES["Table"]["Properties"]["KeySchema"]}
        for pattern in map(json.loads, found):
            self.assertLessEqual(set(pattern), RECORD)
            self.assertLessEqual(set(pattern["dynamodb"]), IMAGE)
            self.assertLessEqual(set(pattern["dynamodb"].get("Keys", {})), keys)
            for attribute in (value for part in pattern["dynamodb"].values() for value in part.values()):
                (kind, values), = attribute.items()
                self.assertIn(kind, ("S", "N"))
                self.assertTrue(values and all(isinstance(value, str) or set(value) == {"prefix"} for value in values))

    def test_the_filters_name_what_the_notifier_reads(self):
        code = (ROOT / "shared/src/event/stream.rs").read_text()
        events, erased, clock = (json.loads(pattern)["dynamodb"] for pattern in filters(RESOURCES))
        is_event = {re.search(r'rename = "(\w+)", default\)\]\n    is_event', code)[1]: {"N": ["1"]}}
        kind = {re.search(r'rename = "(\w+)"\)\]\n    kind', code)[1]: {"S": ["conversation_deleted"]}}
        self.assertEqual(events, {"NewImage": is_event})
        self.assertEqual(erased, {"NewImage": is_event | kind})
        wake = re.search(r'const WAKE_KEYS: &str = "(.*?)"', code)[1]
        self.assertEqual(clock, {"Keys": {"pk": {"S": [{"prefix": wake}]}}})

    def test_the_headers_of_the_pages_are_the_gateways(self):
        code = (ROOT / "infra/src/headers.rs").read_text()
        policy = re.search(r'format!\(\s*"(default-src.*?)"\s*\)', code, re.S)[1]
        policy = re.sub(r"\\\n\s*", "", policy)
        permissions = re.search(r'const PERMISSIONS: &str = "(.*?)";', code)[1]
        for name, ancestors in (("PageHeaders", "'self'${Origins}"), ("PanelHeaders", "'none'")):
            config = RESOURCES[name]["Properties"]["ResponseHeadersPolicyConfig"]
            told = config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"][0]
            expected = policy.replace(" {sockets}", "${Sockets}").replace("{ancestors}", ancestors)
            self.assertEqual(told, expected, name)
            custom = {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
            self.assertEqual(custom["permissions-policy"], permissions, name)


if __name__ == "__main__":
    unittest.main()
