#!/usr/bin/env bash
# Proves that random bytes, false lengths, slow and silent connections on all ports leave four nodes healthy, linked and small.
# usage: hostile_ports_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

readonly grown_mb_max=64
up
begin_load --transfers 500
end_load
status >before.json
node - "$net/devnet.json" <<'JS'
const net = require("net"), fs = require("fs"), crypto = require("crypto");
const nodes = JSON.parse(fs.readFileSync(process.argv[2])).nodes;
const open = [];
const connect = (port, talk) => new Promise((done) => {
  const socket = net.connect({ host: "127.0.0.1", port });
  socket.on("error", () => done());
  socket.on("close", () => done());
  socket.on("connect", () => { talk(socket); setTimeout(done, 200); });
  open.push(socket);
});
const length = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };
const talks = [
  (s) => s.end(crypto.randomBytes(4096)),
  (s) => s.write(Buffer.concat([length(0xffffffff), crypto.randomBytes(64)])),
  // A TLS record of a false length, and the beginning of a handshake that never goes on.
  (s) => s.write(Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff])),
  (s) => s.write(Buffer.from([0x16, 3, 1, 0x02, 0x00, 1, 0, 1, 0xfc, 3, 3])),
  (s) => s.write("POST /rpc/v0 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999999\r\n\r\n"),
  (s) => s.write("POST /rpc/v0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n["),
  (s) => s.write("GET /" + "a".repeat(100000)),
  (s) => s.write("POST /rpc/v0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
  (s) => { const t = setInterval(() => { if (s.destroyed) clearInterval(t); else s.write("X"); }, 300); },
  () => {}, // silent
];
(async () => {
  for (let round = 0; round < 3; ++round)
    for (const node of nodes)
      await Promise.all([node.rpc_port, node.link_port].flatMap((port) => talks.map((t) => connect(port, t))));
  console.log(`${open.length} hostile connections`);
  setTimeout(() => process.exit(0), 6000); // the slow ones stay a while
})();
JS
wait_until "all are healthy and linked" 60 are_equal
status >after.json
node -e '
  const [a, b] = [1, 2].map((i) => JSON.parse(require("fs").readFileSync(process.argv[i])).nodes);
  for (const i in a) {
    console.log(`node ${i}: ${a[i].rss_mb.toFixed(1)} MB before, ${b[i].rss_mb.toFixed(1)} MB after`);
    if (a[i].pid !== b[i].pid || b[i].rss_mb - a[i].rss_mb > Number(process.argv[3])) process.exitCode = 1;
  }' before.json after.json $grown_mb_max || fail "a node grew by more than $grown_mb_max MB, or died"
begin_load --transfers 500
end_load
no_fork
echo "hostile connections changed nothing"
