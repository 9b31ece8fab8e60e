"""Deploys template.yaml to a small AWS on this machine and tells the stories of tests/it/deployed.rs there.

python tests/aws/run.py STORIES…: what `sam build` has built is in .aws-sam/build; STORIES is the command that tells them.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

import policies
from recorder import Recorder

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target" / "tools"
STACK = "parley-test"
REGION = "us-east-1"
# The emulator's owner; the functions get credentials of their own, of their roles.
OWNER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
# The emulator looks at the key alone.
OWNERS_WORD = f"AWS4-HMAC-SHA256 Credential=test/20200101/{REGION}/SERVICE/aws4_request, SignedHeaders=host, Signature=0"
TELEGRAM = {"bot_token": "700100200:fake-bot-token-of-the-tests", "webhook_secret": "webhook-secret_of-the-tests"}
# Limits that these stories are not about.
RELAXED = {"WsUserMsgsPerSec": "1000", "WsUserBurst": "10000", "ApiReqPer5min": "1000000", "ApiAdminReqPer5min": "1000000"}

# While these are open, nobody else is given their ports.
HELD = []


def free_port():
    """Nobody else is given it while we run; whoever is told of it can listen there."""
    holder = socket.socket()
    # Two sockets may have one port when both say so and only one listens.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    HELD.append(holder)
    return holder.getsockname()[1]


@contextlib.contextmanager
def running(command, log, **options):
    """A process with all that it starts, which ends with us."""
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stderr=file, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(what, found, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"never: {what}")
        time.sleep(0.1)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def emulator_environment(port, folder):
    return {
        **os.environ, **OWNER,
        # Policies are enforced.
        "AUTH": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0", "TMPDIR": folder,
    }


def deploy(emulator, telegram, folder):
    # People's own settings have no say here.
    (folder / "samconfig.toml").write_text("version = 0.1\n")
    secret = boto3.client("secretsmanager").create_secret(Name="parley/telegram", SecretString=json.dumps(TELEGRAM))
    parameters = {
        **RELAXED, "Architecture": "x86_64", "EmulatorUrl": emulator, "ProtectTable": "false",
        "TelegramSecret": secret["Name"], "TelegramDefaultChatId": "-1001234567890", "TelegramApiUrl": telegram,
        "RetentionDays": "1", "DefaultLocale": "tr",
    }
    command = ["sam", "deploy", "--template-file", ".aws-sam/build/template.yaml", "--stack-name", STACK, "--region", REGION,
               "--resolve-s3", "--no-confirm-changeset", "--no-progressbar", "--capabilities", "CAPABILITY_IAM",
               "--disable-rollback", "--config-file", str(folder / "samconfig.toml"), "--parameter-overrides"]
    command += [f"{name}={value}" for name, value in parameters.items()]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if told.returncode:
        sys.exit(told.stdout)


def distribution(outputs, port):
    """What the front needs to know of CloudFront: as it was deployed."""
    front = boto3.client("cloudfront")
    config = front.get_distribution_config(Id=outputs["DistributionId"])["DistributionConfig"]
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]["Items"]]
    functions, headers = {}, {}
    for behaviour in behaviours:
        policy = behaviour["ResponseHeadersPolicyId"]
        answer = front.get_response_headers_policy(Id=policy)["ResponseHeadersPolicy"]
        headers[policy] = answer["ResponseHeadersPolicyConfig"]
        for association in behaviour["FunctionAssociations"]["Items"]:
            name = association["FunctionARN"].rsplit("/", 1)[1]
            code = front.get_function(Name=name, Stage="LIVE")["FunctionCode"].read()
            functions[association["FunctionARN"]] = code.decode()
    return {"distribution": config, "functions": functions, "headers": headers,
            "emulator": {"port": port, "authorization": OWNERS_WORD.replace("SERVICE", "s3")}}


def scheduled():
    """The function that the schedule invokes each hour."""
    schedule = boto3.client("scheduler").get_schedule(Name=f"{STACK}-maintenance")
    assert schedule["ScheduleExpression"] == "rate(1 hour)" and schedule["State"] == "ENABLED", schedule
    return schedule["Target"]["Arn"].rpartition(":")[2]


def print_logs():
    """What the functions have written, for whoever looks for the reason."""
    logs = boto3.client("logs")
    for name in policies.FUNCTIONS:
        for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{STACK}-{name}")["events"]:
            print(f"{name}: {event['message'].rstrip()}", file=sys.stderr)


def check_logs():
    """Each function has written something, and no secret."""
    logs = boto3.client("logs")
    secrets = [*TELEGRAM.values()]
    for name in boto3.client("secretsmanager").list_secrets()["SecretList"]:
        value = boto3.client("secretsmanager").get_secret_value(SecretId=name["ARN"])["SecretString"]
        secrets.append(value)
    for name in policies.FUNCTIONS:
        group = f"/aws/lambda/{STACK}-{name}"
        events = logs.filter_log_events(logGroupName=group)["events"]
        assert events, f"{group} is empty"
        for event in events:
            for secret in secrets:
                assert secret not in event["message"], f"{group} holds a secret"


def tell(stories, folder):
    port, telegram = free_port(), free_port()
    emulator = f"http://127.0.0.1:{port}"
    os.environ.update(OWNER, AWS_ENDPOINT_URL=emulator)
    log = folder / "emulator.log"
    with running([TOOLS / "ministack/bin/ministack"], log, env=emulator_environment(port, str(folder)), cwd=folder, stdout=subprocess.DEVNULL):
        until("the emulator serves", lambda: answers(f"{emulator}/_ministack/health"))
        print("── Deploying", flush=True)
        recorder = Recorder(port)
        deploy(f"http://127.0.0.1:{recorder.port}", f"http://127.0.0.1:{telegram}", folder)
        found = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
        subprocess.run([sys.executable, ROOT / "infra/aws/stack.py", "pages", "--stack", STACK], check=True)
        (folder / "front.json").write_text(json.dumps(distribution(outputs, port), default=str))
        front = ["node", ROOT / "tests/aws/front.js", folder / "front.json"]
        with running(front, folder / "front.log", stdout=subprocess.PIPE) as process:
            address = f"127.0.0.1:{process.stdout.readline().decode().strip()}"
            deployed = {
                "front": address, "origin": outputs["Url"], "telegram": f"127.0.0.1:{telegram}",
                **dict.fromkeys(("emulator", "dynamodb", "lambda"), f"127.0.0.1:{port}"),
                "owner": OWNERS_WORD, "table": outputs["TableName"],
                "maintenance": scheduled(), "rest": f"/_aws/execute-api/{outputs['RestApiId']}/$default",
                "sockets": f"/_aws/execute-api/{outputs['SocketApiId']}/live",
            }
            (folder / "deployed.json").write_text(json.dumps(deployed))
            print("── Telling the stories", flush=True)
            told = subprocess.run(stories, cwd=ROOT, env={**os.environ, "TEST_DEPLOYED": str(folder / "deployed.json")}, check=False)
            if told.returncode:
                print_logs()
                sys.exit("The stories did not end well.")
        policies.check(STACK, recorder)
        check_logs()


def main():
    with tempfile.TemporaryDirectory(prefix="parley-aws-") as folder:
        try:
            tell(sys.argv[1:], pathlib.Path(folder))
        except (SystemExit, AssertionError, subprocess.CalledProcessError):
            log = pathlib.Path(folder) / "emulator.log"
            print(log.read_text(errors="replace")[-8000:], file=sys.stderr)
            raise


if __name__ == "__main__":
    main()
