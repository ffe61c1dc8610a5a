#!/usr/bin/env bash
# Proves that what is typed wrong is answered with exit status 2, in one line that says what would be right, and that a
# command that fails says what, where and what to do, with exit status 1.
# usage: usage_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
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
refused 2 "HASH" tx
refused 2 "AMOUNT" lane topup 11111111111111111111111111111111 0.0000001
refused 2 "--session-key" lane open 11111111111111111111111111111111 1
refused 2 "--lane" lane close 11111111111111111111111111111111 --lane 65536

refused 1 "no node to ask" epoch
refused 1 "no node answers at http://127.0.0.1:1" epoch --node http://127.0.0.1:1
refused 1 "is no URL of a node" epoch --node ftp://x
refused 1 "run draco devnet up" devnet status
refused 1 "run draco devnet up" devnet down
refused 1 "run draco init" keys show
refused 1 "is no session key" lane open 11111111111111111111111111111111 1 --session-key 12 --dev-account 0

[[ $("$draco" --version) == "draco "* ]] || fail "--version"
for command in "" init keys "keys generate" node "node run" devnet "devnet up" account "account transfer" stake lane "lane open" opt prices sim hash tx; do
  "$draco" $command --help | grep -q "Usage: draco" || fail "draco $command --help"
done
echo "usage errors are one line and exit with 2, failures with 1"
