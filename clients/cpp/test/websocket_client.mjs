// A client that shares no code with ours: node's own WebSocket, and messages written by hand from
// docs/formats/session.md. Prints the SHA-256 of the file's bytes and how many there were.
//     node --experimental-websocket websocket_client.mjs PORT CHAIN HASH
import { createHash } from 'node:crypto';

const [port, chain, hash] = process.argv.slice(2);
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const socket = new WebSocket(`wss://127.0.0.1:${port}/`);
socket.binaryType = 'arraybuffer';
const digest = createHash('sha256');
let leaves = 0n, next = 0n, bytes = 0;
const early = new Map();

socket.onopen = () => socket.send(Buffer.concat([Buffer.from([0, 1, 0]), u64(chain), Buffer.from([0])]));
socket.onerror = (event) => { console.error(event.error ?? event.message); process.exit(1); };
socket.onmessage = ({ data }) => {
  const message = Buffer.from(data);
  const kind = message[0];
  if (kind === 1) {  // Welcome
    socket.send(Buffer.concat([Buffer.from([2]), u64(1), Buffer.from(hash, 'hex'), Buffer.from([0])]));
  } else if (kind === 2) {  // Head
    leaves = message.readBigUInt64LE(1 + 8 + 32 + 1 + 8);
    socket.send(Buffer.concat([Buffer.from([3]), u64(1), u64(0), u64(leaves)]));
  } else if (kind === 5) {  // Block
    let at = 17;
    while (message[at] & 0x80) ++at;
    early.set(message.readBigUInt64LE(9), message.subarray(at + 1));
    for (; early.has(next); ++next) {
      digest.update(early.get(next));
      bytes += early.get(next).length;
      early.delete(next);
    }
    if (next === leaves) {
      console.log(`${digest.digest('hex')} ${bytes}`);
      socket.close();
    }
  } else if (kind === 6) {  // End
    console.error('ended: ' + message.subarray(10).toString());
    process.exit(1);
  }
};
socket.onclose = () => process.exit(next === leaves && leaves > 0n ? 0 : 1);
