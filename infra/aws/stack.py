"""What a deployed stack still needs: its pages in the bucket, its address at Telegram.

python infra/aws/stack.py pages|webhook (--stack NAME [--region REGION] | --config-env NAME)
"""

import argparse
import hashlib
import json
import mimetypes
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
# As the gateway serves them: the modules of a page belong together, so each is asked for again at each use.
CACHE_CONTROL = "no-cache"
TEXT = ("application/json", "image/svg+xml")
# Settings that Telegram's side depends on.
PARAMETERS = {"TELEGRAM_DEFAULT_CHAT_ID": "TelegramDefaultChatId", "TELEGRAM_API_URL": "TelegramApiUrl",
              "TELEGRAM_ADMIN_IDS": "TelegramAdminIds", "TELEGRAM_ON_DELETE": "TelegramOnDelete",
              "DEFAULT_LOCALE": "DefaultLocale"}


class Stack:
    """A stack that stands, and who may speak to it."""

    def __init__(self, name, region):
        self.name = name
        self.session = boto3.Session(region_name=region)
        found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        self.parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", [])}

    def client(self, service):
        return self.session.client(service)


def media_type(name):
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in TEXT else kind


def content(path, locale):
    data = path.read_bytes()
    if path.suffix == ".html":
        told, count = re.subn(rb'data-default-locale="[a-z]+"', b'data-default-locale="%s"' % locale.encode(), data, count=1)
        if not count:
            sys.exit(f"{path} does not tell its language.")
        return told
    return data


def upload_pages(stack):
    """Puts what has changed into the bucket, removes what is no more, and makes CloudFront ask again."""
    s3, bucket = stack.client("s3"), stack.outputs["PagesBucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", [])}
    changed = []
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        key, data = path.relative_to(STATIC).as_posix(), content(path, stack.outputs["Locale"])
        if there.pop(key, None) != hashlib.md5(data, usedforsecurity=False).hexdigest():
            s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=media_type(key), CacheControl=CACHE_CONTROL)
            changed.append(key)
    for key in there:
        s3.delete_object(Bucket=bucket, Key=key)
        changed.append(key)
    if changed:
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        stack.client("cloudfront").create_invalidation(
            DistributionId=stack.outputs["DistributionId"], InvalidationBatch=batch
        )
    print(f"{len(changed)} files changed. Parley is at {stack.outputs['Url']}")


def set_up_telegram(stack):
    """Has the gateway's program look at the bot and its group and tell Telegram where its updates go. Secrets are handed over
    in its environment, where other people's processes do not see them."""
    secret_id = stack.outputs.get("TelegramSecretId")
    if not secret_id:
        sys.exit("The stack has no TelegramSecret.")
    value = stack.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    secrets = json.loads(value)
    settings = {"PUBLIC_URL": stack.outputs["Url"], "TELEGRAM_BOT_TOKEN": secrets["bot_token"],
                "TELEGRAM_WEBHOOK_SECRET": secrets["webhook_secret"]}
    for name, parameter in PARAMETERS.items():
        settings[name] = stack.parameters.get(parameter, "")
    program = ["cargo", "run", "--locked", "-p", "gateway", "--", "telegram", "setup"]
    sys.exit(subprocess.run(program, cwd=ROOT, env={**os.environ, **settings}).returncode)


def configured(environment):
    """The stack's name and Region as samconfig.toml has them."""
    with open(ROOT / "samconfig.toml", "rb") as file:
        config = tomllib.load(file)
    sections = [config.get(name, {}).get(command, {}).get("parameters", {})
                for name in ("default", environment) for command in ("global", "deploy")]
    merged = {key: value for section in sections for key, value in section.items()}
    return merged["stack_name"], merged.get("region")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pages", "webhook"])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack")
    which.add_argument("--config-env")
    parser.add_argument("--region")
    told = parser.parse_args()
    name, region = configured(told.config_env) if told.config_env else (told.stack, told.region)
    stack = Stack(name, told.region or region)
    {"pages": upload_pages, "webhook": set_up_telegram}[told.what](stack)


if __name__ == "__main__":
    main()
