#!/usr/bin/env bash
# Proves that what is typed wrong is answered with exit status 2, in one line that says what would be right, and that a
# command that fails says what, where and what to do, with exit status 1.
# usage: usage_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
dev=$(cd "$(dirname "$0")/../../.." && pwd)/dev
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
export DRACO_HOME=$scratch/home
unset HOME
fail() { echo "FAILED: $*"; exit 1; }

# refused STATUS TEXT ARGUMENT...: one line on standard error that has TEXT, nothing on standard output.
refused() {
  local expected=$1 text=$2 status=0
  shift 2
  "$draco" "$@" >out 2>err || status=$?
  [[ $status == "$expected" ]] || fail "draco $*: exit status $status, not $expected: $(cat err)"
  [[ $(wc -l <err) == 1 && ! -s out ]] || fail "draco $*: more than a line: $(cat out err)"
  grep -qF -- "$text" err || fail "draco $*: '$text' is not in: $(cat err)"
}

refused 2 "there is no command 'devnte'; did you mean 'devnet'?" devnte up
refused 2 "there is no command 'blance'; did you mean 'balance'?" account blance
refused 2 "there is no command 'xyzzy'" xyzzy
refused 2 "there is no option '--nods'; did you mean '--nodes'?" devnet up --nods 4
refused 2 "see draco --help" --json
refused 2 "see draco account --help" account
refused 2 "--nodes" devnet up --nodes 0
refused 2 "--nodes" devnet up --nodes many
refused 2 "--epoch" devnet up --epoch 0
refused 2 "AMOUNT" account transfer 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 1,5
refused 2 "TO" account transfer 0x70997970C51812dc3A010C7d01b50e0d17dc79c8 1.5
refused 2 "AMOUNT" stake add
refused 2 "--dev-account" account balance --dev-account 10
refused 2 "SCENARIO" sim run
refused 2 "did you mean 'network/seven'?" sim run network/sevn
refused 2 "--seed" sim run network/seven --seed -1
refused 2 "did you mean 'draco devnet load'?" load
refused 2 "did you mean 'draco devnet load'?" load --help
refused 2 "HASH" tx
refused 2 "expected 64 hex digits, got 2" tx 12
refused 2 "0 does nothing" account transfer 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 0
refused 2 "more than 6 decimals" account transfer 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 0.0000001 --usd
refused 2 "0 does nothing" stake add 0.0
refused 2 "--stake-node" stake status --stake-node 12
refused 2 "NODE-KEY" lane close 12
refused 2 "INDEX" devnet stop-node -1
refused 2 "--index" keys import --mnemonic-file x --index -1
refused 2 "--name" keys generate --name Upper
refused 2 "beyond 65535" devnet up --nodes 99 --port-base 4200
refused 2 "--port-base" init --port-base 65500
refused 2 "without a port" init --host node.example.org:4300
refused 2 "without a port" init --host ""
refused 2 "is no URL of a node" epoch --node ftp://x
refused 2 "is no session key" lane open 11111111111111111111111111111111 1 --session-key 12 --dev-account 0
refused 2 "AMOUNT" lane topup 11111111111111111111111111111111 0.0000001
hash=$(printf '5%.0s' {1..64})
refused 2 "--reserve does nothing without --pay" get "$hash" --reserve 2
refused 2 "--dev-account does nothing without --pay" get "$hash" --dev-account 2
refused 2 "is no address: 64 hex digits" get abc
refused 2 "is no address: 64 hex digits" get 12 -o x
refused 2 "is no URL of content" get http://127.0.0.1:1/x -o x
refused 2 "is no address: 64 hex digits" ls zzz
refused 2 "is no address: 64 hex digits" ls "${hash}5/index.html"
key=$("$draco" init --home keyed --light-keys --json | node -p 'JSON.parse(require("fs").readFileSync(0)).node')
refused 2 "there is no command 'wroker'; did you mean 'worker'?" wroker run
refused 2 "there is no command 'shwo'; did you mean 'show'?" worker shwo
refused 2 "--node is required" worker init --genesis g
refused 2 "--genesis is required" worker init --node "$key@127.0.0.1:4300"
refused 2 "is not KEY@HOST:PORT: a node key, and where it is" worker init --genesis g --node http://127.0.0.1:4240
refused 2 "\"12\" is not a node key in base58 or hex" worker init --genesis g --node 12@127.0.0.1:4300
refused 2 "is not the key of any node" worker init --genesis g --node 11111111111111111111111111111111@127.0.0.1:4300
refused 2 "is not HOST:PORT, such as node.example.org:4400" worker init --genesis g --node "$key@127.0.0.1"
refused 2 "with a port from 1 to 65535" worker init --genesis g --node "$key@127.0.0.1:0"
refused 2 "is not HOST:PORT" worker init --genesis g --node "$key@127.0.0.1:4300" --listen 4400
refused 2 "--index" worker init --genesis g --node "$key@127.0.0.1:4300" --index 16
refused 2 "--index" worker init --genesis g --node "$key@127.0.0.1:4300" --index one
refused 2 "--health-port" worker init --genesis g --node "$key@127.0.0.1:4300" --health-port 0
for wrong in x 17 -1; do refused 2 "--workers" bench consensus --workers $wrong; done
for command in pin unpin rm; do refused 2 "HASH: " $command abc; done
refused 2 "--lane" lane close 11111111111111111111111111111111 --lane 65536

refused 1 "no node to ask" epoch
refused 1 "no node answers at http://127.0.0.1:1" epoch --node http://127.0.0.1:1
refused 1 "run draco devnet up" devnet status
refused 1 "run draco devnet up" devnet down
refused 1 "run draco init" keys show
refused 1 "no node to ask" get "$hash/index.html" -o x
refused 1 "is no home of a node" ls "$hash"
refused 1 "make one with draco worker init" worker show
refused 1 "make one with draco worker init" worker run
refused 1 "No such file" worker init --genesis nowhere.json --node "$key@127.0.0.1:4300"

# All mistakes of a configuration at once, a line for each.
mkdir -p bad/keys
printf '[rpc]\nport = 0\nprot = 1\n[node]\nadvertised_host = "a.example:4300"\n' >bad/config.toml
status=0; "$draco" keys show --home bad >out 2>err || status=$?
[[ $status == 1 && ! -s out && $(wc -l <err) == 3 ]] || fail "three mistakes: $(cat out err)"
grep -q "keys show: bad/config.toml:2: .*port must be" err && grep -q "^bad/config.toml:3: .*did you mean 'port'" err &&
  grep -q "^bad/config.toml:5: .*without a port" err || fail "each with its line: $(cat err)"

# With --json errors are JSON, on standard error, with the same exit status.
json_error() { # STATUS CODE ARGUMENT...
  local expected=$1 code=$2 status=0
  shift 2
  "$draco" "$@" --json >out 2>err || status=$?
  [[ $status == "$expected" && ! -s out ]] || fail "draco $* --json: exit status $status: $(cat out err)"
  [[ $(node -p 'const e=JSON.parse(require("fs").readFileSync("err")).error;e.message.length>10&&e.code') == "$code" ]] ||
    fail "draco $* --json: $(cat err)"
}
json_error 2 Usage devnte
json_error 2 Usage sim run network/sevn
json_error 2 Usage get "$hash" -o -
grep -q "give -o FILE" err || fail "what to do about --json: $(cat err)"
json_error 2 Usage get "$hash"
json_error 2 Usage ls zzz
json_error 1 NotFound epoch
json_error 1 Unavailable epoch --node http://127.0.0.1:1

[[ $("$draco" --version) == "draco "* ]] || fail "--version"
for command in "" init keys "keys generate" node "node run" devnet "devnet up" "devnet load" account "account transfer" stake lane "lane open" opt prices sim hash tx worker "worker init" "worker run"; do
  "$draco" $command --help >out
  grep -q "Usage: draco${command:+ }$command " out || fail "draco $command --help is its own: $(cat out)"
  for option in --home --node --json; do grep -q -- "  $option" out || fail "draco $command --help names $option"; done
done
# What is wrong with ./dev demo is said before anything is installed or built; what draco devnet up takes, it takes.
mkdir fake
for tool in apt-get cmake dpkg-query ninja npm sudo; do printf '#!/bin/sh\n: >"%s"\nexit 9\n' "$scratch/began" >fake/$tool; done
chmod +x fake/*
demo() { # STATUS ARGUMENT...
  local status=0
  rm -f began
  HOME=$scratch PATH=$scratch/fake:$PATH "$dev" demo "${@:2}" >out 2>err || status=$?
  [[ $status == "$1" ]] || fail "./dev demo ${*:2}: exit status $status, not $1: $(head -3 err)"
  if [[ $1 == 2 && -e began || $1 != 2 && ! -e began ]]; then fail "./dev demo ${*:2}: what is built when: $(head -3 err)"; fi
}
for wrong in --wrong "--nods 4" "--nodes many" --nodes "--epoch 0" --epoch=0 "--port-base x" --detach "--nodes 4 more" "--home="; do
  demo 2 $wrong
done
demo 9 --nodes 7 --epoch=10 --port-base 0
options=$("$draco" devnet up --help | grep -oE -- '--[a-z-]+' | sort -u | grep -vxE -- '--(help|demo|detach)')
[[ $(wc -l <<<"$options") -ge 6 ]] || fail "the options of devnet up: $options"
for option in $options; do demo 9 "$option=1"; done
echo "usage errors are one line and exit with 2, failures with 1"
