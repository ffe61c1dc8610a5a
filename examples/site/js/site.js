"use strict";

const show = (id, text) => { document.getElementById(id).textContent = text; };

show("node", location.host);
show("address", location.pathname.split("/").find((part) => /^[0-9a-f]{64}$/.test(part)) ?? "(none)");
addEventListener("load", () => {
  const [entry] = performance.getEntriesByType("navigation");
  if (entry) show("loaded", `${Math.round(entry.domContentLoadedEventEnd)} ms`);
});

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

document.getElementById("fetch").addEventListener("click", async (event) => {
  event.target.disabled = true;
  const started = performance.now();
  try {
    const response = await fetch("film.bin", { cache: "no-store" });
    if (!response.ok) throw new Error(`the node answers ${response.status}`);
    const total = Number(response.headers.get("Content-Length"));
    let bytes = 0;
    for (const reader = response.body.getReader();;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      document.getElementById("bar").value = bytes / total;
    }
    const seconds = (performance.now() - started) / 1000;
    show("rate", `${megabytes(bytes)} MB in ${seconds.toFixed(2)} s: ${megabytes(bytes / seconds)} MB/s`);
  } catch (error) {
    show("rate", error.message);
  }
  event.target.disabled = false;
});

document.getElementById("range").addEventListener("click", async () => {
  const response = await fetch("film.bin", { headers: { Range: "bytes=1000000-1000015" } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  show("part", `${response.status} ${response.headers.get("Content-Range")}\n${hex}`);
});
