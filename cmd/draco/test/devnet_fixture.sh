# Sourced by the acceptance scripts: a devnet of four nodes in $scratch/net, on ports that the system chooses.
# The script sets draco and scratch before.
set -euo pipefail
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
net=$scratch/net
fail() {
  echo "FAILED: $*"
  tail -n 5 "$net"/node*/logs/draco.log 2>/dev/null | cut -c1-400 || true
  exit 1
}
# The value at a path of the JSON on standard input: field nodes.0.pid
field() { node -e 'let v=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[1].split("."))v=v==null?v:v[k];console.log(v)' "$1"; }
status() { "$draco" devnet status --home "$net" --json; }
of_node() { status | field "nodes.$1.$2"; }
height() { of_node "$1" height; }
rpc() { "$draco" node inspect --node "$(of_node "$1" rpc)" --json; }
# Asks once a second, at most so often.
wait_until() {
  local what=$1 times=$2
  shift 2
  for _ in $(seq "$times"); do
    if "$@"; then return 0; fi
    sleep 1
  done
  fail "$what: $(status)"
}
is_above() { local now; now=$(height "$1"); [[ $now != null && $now -gt $2 ]]; }
has_role() { [[ $(of_node "$1" role) == "$2" ]]; }
# All running, healthy, linked to the three others, with one height and state.
are_equal() {
  status | node -e 'const n=JSON.parse(require("fs").readFileSync(0)).nodes;
    process.exit(n.every(x=>x.running&&x.healthy&&x.peers===n.length-1&&x.height===n[0].height&&x.state_root===n[0].state_root)?0:1)'
}
no_fork() { ! grep -qiE "a fork:|panic|DRACO_ASSERT" "$net"/node*/logs/*.log || fail "$(grep -hiE 'a fork:|panic|DRACO_ASSERT' "$net"/node*/logs/*.log | head -3)"; }
up() { "$draco" devnet up --home "$net" --nodes 4 --epoch "${1:-20}" --port-base 0 --detach >/dev/null; }
down() { "$draco" devnet down --home "$net" >/dev/null 2>&1 || true; }
begin_load() {
  "$draco" devnet load --home "$net" --json "$@" >load.json 2>load.err &
  load=$!
}
# Ends with the verdict of the load; prints its figures.
end_load() {
  wait "$load" || fail "the load: $(cat load.json load.err)"
  [[ $(field verdict <load.json) == ok ]] || fail "$(cat load.json)"
  cat load.json
}
trap down EXIT
