#!/usr/bin/env bash
# Proves that init makes a home once, with private files; that keys can be made, listed, backed up, restored elsewhere
# and are the same; that wrong passwords and damage are refused.
# usage: keys_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
umask 077
fail() { echo "FAILED: $*"; exit 1; }
field() { node -e 'let v=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[1].split("."))v=v[k];console.log(v)' "$1"; }
fails() { # TEXT ARGUMENT...
  local text=$1 status=0
  shift
  "$draco" "$@" >out 2>err || status=$?
  [[ $status == 1 ]] || fail "draco $*: exit status $status, not 1"
  grep -qF -- "$text" err || fail "draco $*: '$text' is not in: $(cat err)"
}

"$draco" init --home a --light-keys --json >init.json
[[ $(field chain_id <init.json) == 1337 ]] || fail "init: $(cat init.json)"
[[ $(stat -c %a a) == 700 && $(stat -c %a a/password) == 600 && $(stat -c %a a/keys/node-default.json) == 600 ]] ||
  fail "the files of a home are private: $(ls -l a a/keys)"
fails "is a node's home already" init --home a
grep -q "^port = 4300" a/config.toml || fail "config.toml has the default ports"

! grep -q '^address = "0' a/config.toml || fail "a node of this machine alone listens on it alone"
"$draco" init --home far --light-keys --host node.example.org --json >far.json
[[ $(grep -c '^address = "0.0.0.0"' far/config.toml) == 3 && $(field listens <far.json) == 0.0.0.0 ]] || fail "others reach links, content and sessions"
sed -n '/^.rpc/,/^port/p' far/config.toml | grep -q '^address = "127.0.0.1"' || fail "and not RPC"
"$draco" init --home far6 --light-keys --host 2001:db8::7 >/dev/null
[[ $(grep -c '^address = "::"' far6/config.toml) == 3 ]] || fail "on the machine's IPv6 addresses"

"$draco" init --home b --light-keys --genesis a/genesis.json --port-base 7200 --json >/dev/null
cmp a/genesis.json b/genesis.json || fail "the genesis given is the genesis taken"
grep -q "^port = 7300" b/config.toml || fail "--port-base moves the ports"
sed 's/"flk": "1000000"/"flk": "x"/' a/genesis.json >bad.json
fails "bad.json: accounts[0].flk" init --home c --genesis bad.json

"$draco" keys generate --home a --light-keys --json >key.json
address=$(field id <key.json)
[[ $address =~ ^0x[0-9a-fA-F]{40}$ ]] || fail "an account's id is its address: $address"
fails "" keys generate --home a --light-keys
"$draco" keys show --home a --json >keys.json
[[ $(field length <keys.json) == 2 && $(field 0.id <keys.json) == "$(field node <init.json)" ]] || fail "show: $(cat keys.json)"
"$draco" keys show --home a | grep -q "$address" || fail "show lists the account"

echo "correct horse" >seal && echo "wrong horse" >wrong && echo "other" >other
"$draco" keys backup backup.sealed --home a --backup-password-file seal >/dev/null
[[ $(stat -c %a backup.sealed) == 600 ]] || fail "a backup is private"
fails "exists already" keys backup backup.sealed --home a --backup-password-file seal
fails "there is no folder" keys backup no/backup.sealed --home a --backup-password-file seal
fails "" keys restore backup.sealed --home d --backup-password-file wrong --password-file other --light-keys
"$draco" keys restore backup.sealed --home d --backup-password-file seal --password-file other --light-keys >/dev/null
"$draco" keys show --home d --json >restored.json
for i in 0 1; do
  [[ $(field $i.id <keys.json) == "$(field $i.id <restored.json)" ]] || fail "key $i came back as another"
  [[ $(field $i.restored <restored.json) == true ]] || fail "a restored key says so"
done
# As ssh does with keys.
chmod 644 seal
fails "chmod 600 seal" keys backup again.sealed --home a --backup-password-file seal
chmod 600 seal && chmod 640 a/password
fails "chmod 600 a/password" keys generate --home a --name more
fails "chmod 600 a/password" node run --home a
chmod 600 a/password
head -c 100 backup.sealed >damaged
fails "" keys restore damaged --home e --backup-password-file seal --password-file other

echo "test test test test test test test test test test test junk" >words
"$draco" keys import --home a --light-keys --name dev --mnemonic-file words --index 1 --json >imported.json
[[ $(field id <imported.json) == 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 ]] || fail "import: $(cat imported.json)"
chmod 604 words
fails "the mnemonic file words is open to other users" keys import --home a --light-keys --name more --mnemonic-file words
grep -qF "chmod 600 words" err || fail "says what to do: $(cat err)"
"$draco" keys show --home a | grep -q more && fail "a mnemonic that others can read was taken"
echo "homes and keys"
