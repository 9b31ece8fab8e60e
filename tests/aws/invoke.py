"""Runs the functions behind `cargo lambda watch`, the gateway in front of them, and tells the first story of tests/it/deployed.rs.

python tests/aws/invoke.py GATEWAY STORIES…: GATEWAY is its program, STORIES the command that tells them. TEST_DYNAMODB_URL names a
DynamoDB-compatible server that has a stream.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from run import OWNER, OWNERS_WORD, RELAXED, ROOT, TELEGRAM, answers, free_port, running, until

sys.path.append(str(ROOT / "infra" / "aws"))
from table import make_table  # noqa: E402

# Building the functions is part of the first call.
PATIENCE = 900
SETTING = {"WsUserMsgsPerSec": "WS_USER_MSGS_PER_SEC", "WsUserBurst": "WS_USER_BURST", "ApiReqPer5min": "API_REQ_PER_5MIN",
           "ApiAdminReqPer5min": "API_ADMIN_REQ_PER_5MIN"}


def settings(endpoint, table, front, telegram):
    return {
        **os.environ, **OWNER, "AWS_REGION": OWNER["AWS_DEFAULT_REGION"],
        **{SETTING[name]: value for name, value in RELAXED.items()},
        "DATABASE_URL": f"dynamodb://{table}?endpoint={endpoint}&patience=20", "PUBLIC_URL": f"http://{front}",
        "WEBSOCKET_ENDPOINT": f"http://{front}/live", "OTP_HASH_SALT": "0123456789abcdef0123456789abcdef",
        "TELEGRAM_BOT_TOKEN": TELEGRAM["bot_token"], "TELEGRAM_WEBHOOK_SECRET": TELEGRAM["webhook_secret"],
        "TELEGRAM_DEFAULT_CHAT_ID": "-1001234567890", "TELEGRAM_API_URL": f"http://{telegram}",
        # The gateway's own.
        "LISTEN_ADDR": front, "RUST_LOG": "info", "RETENTION_DAYS": "1",
    }


def tell(gateway, stories, folder):
    endpoint, table = os.environ["TEST_DYNAMODB_URL"].rstrip("/"), f"invoked-{os.getpid()}"
    os.environ.update(OWNER)
    make_table(endpoint, table)
    functions, front, telegram = (f"127.0.0.1:{free_port()}" for _ in range(3))
    environment = settings(endpoint, table, front, telegram)
    host, port = functions.split(":")
    watch = ["cargo", "lambda", "watch", "-A", host, "-P", port, "--ignore-changes", "--concurrency", "4"]
    command = [gateway, "--invoke", f"http://{functions}", "--stream", f"{endpoint}/{table}"]
    with running(watch, folder / "functions.log", env=environment, cwd=ROOT, stdout=subprocess.DEVNULL), \
            running(command, folder / "gateway.log", env=environment, cwd=folder):
        until("the functions answer", lambda: answers(f"http://{front}/health"), PATIENCE)
        told = {"front": front, "origin": f"http://{front}", "telegram": telegram, "owner": OWNERS_WORD, "table": table,
                "dynamodb": endpoint.removeprefix("http://"), "lambda": functions, "maintenance": "maintenance"}
        (folder / "deployed.json").write_text(json.dumps(told))
        ended = subprocess.run(stories, cwd=ROOT, env={**os.environ, "TEST_DEPLOYED": str(folder / "deployed.json")}, check=False)
        if ended.returncode:
            sys.exit("The stories did not end well.")


def main():
    with tempfile.TemporaryDirectory(prefix="parley-invoke-") as folder:
        folder = pathlib.Path(folder)
        try:
            tell(str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:], folder)
        except SystemExit:
            for log in ("functions.log", "gateway.log"):
                print(f"{log}:", (folder / log).read_text(errors="replace")[-6000:], file=sys.stderr)
            raise


if __name__ == "__main__":
    main()
