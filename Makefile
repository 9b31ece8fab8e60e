.DEFAULT_GOAL := help
.PHONY: help run run-telegram-sandbox telegram-setup test test-aws check counts bench soak bench-lambda build deploy fuzz pages webhook table

# A variable of the environment wins over its line in .env.
settings = if [ -f .env ]; then while IFS= read -r line || [ -n "$$line" ]; do case "$$line" in [A-Z]*=*) \
	printenv "$${line%%=*}" >/dev/null || export "$$line";; esac; done < .env; fi;

functions := connect message disconnect visitor admin telegram notifier maintenance

help:
	@echo "make run     start Parley on http://127.0.0.1:8000 (settings: .env.example)"
	@echo "make run-telegram-sandbox  start Parley with a Telegram of its own, to try the operators' side without a bot"
	@echo "make telegram-setup  look at your bot and group, say what is missing, set webhook and commands; ARGS=--check only looks"
	@echo "make test    run every test, and the counts; installs PostgreSQL, Chromium, valgrind and strace when they are missing"
	@echo "make test-aws  the part of it that is about AWS: template, build by SAM, stories on a small AWS on this machine"
	@echo "make check   formatting, lints, dependencies"
	@echo "make counts  instructions, system calls, memory and AWS's units, each against its limit"
	@echo "make bench   what a message, a connection and a start cost beside the least possible: docs/benchmarks.md; QUICK=1, SOAK=600"
	@echo "make soak    visitors who keep reconnecting, for ten minutes (or SOAK=n seconds): nothing lost, memory flat"
	@echo "make bench-lambda  what each Lambda bootstrap costs, by itself"
	@echo "make fuzz    what nobody would think of sending to the webhook, for ten minutes (or SECONDS=n); needs cargo-fuzz and nightly"
	@echo "make build   the gateway and the eight Lambda bootstraps, optimised"
	@echo "make deploy  puts Parley into your AWS account; CONFIG_ENV=prod as samconfig.toml says there, ARGS=--guided asks"
	@echo "make pages   uploads the pages of a deployed STACK in a REGION"
	@echo "make webhook  what telegram-setup does, for a deployed STACK in a REGION"

# The development profile: from a fresh clone it serves in four minutes on two slow cores, where the release profile with
# its optimisation at link time takes three times as long. `make build` makes the other one.
run:
	@$(settings) exec cargo run --locked -p gateway

telegram-setup:
	@$(settings) exec cargo run --locked -p gateway -- telegram setup $(ARGS)

# The gateway comes from the same build and is started by the sandbox, which stops it again.
run-telegram-sandbox:
	@cargo build --locked -p gateway -p tests --bin gateway --bin telegram-sandbox --no-default-features --features shared/sql
	@exec "$${CARGO_TARGET_DIR:-target}/debug/telegram-sandbox" $(ARGS)

test:
	@bash .ci/install.sh
	@bash .ci/test.sh
	@bash .ci/aws.sh deploy

test-aws:
	@bash .ci/aws.sh

check:
	@bash .ci/check.sh

counts:
	@bash tests/counts.sh

bench:
	@bash tests/bench.sh

soak:
	@SOAK=$(or $(SOAK),600) bash tests/bench.sh soak

bench-lambda:
	@bash tests/bench_lambda.sh

# What it finds of interest stays in its target folder; the corpus is kept small by hand.
fuzz:
	mkdir -p tests/fuzz/target/found
	cd tests/fuzz && cargo +nightly fuzz run --fuzz-dir . update target/found corpus/update -- -max_total_time=$(or $(SECONDS),600)

# Twice, since in one invocation cargo would build `shared` with the features of both and link SQL into each function.
build:
	cargo build --locked --release -p gateway
	CARGO_PROFILE_RELEASE_PANIC=abort cargo build --locked --release $(addprefix -p ,$(functions))

deploy:
	@bash infra/aws/deploy.sh $(or $(CONFIG_ENV),default) $(ARGS)

pages webhook:
	@bash -c 'source .ci/aws_tools.sh && need_sam && "$$tools/sam/bin/python" infra/aws/stack.py $@ --stack "$(STACK)" $(if $(REGION),--region "$(REGION)")'

table:
	@bash -c 'source .ci/aws_tools.sh && need_sam && "$$tools/sam/bin/python" infra/aws/table.py "$(ENDPOINT)" "$(TABLE)"'
