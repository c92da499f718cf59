// SPDX-License-Identifier: Apache-2.0
import { api } from "../api.js";
import { count } from "../format.js";
import { html, useEffect } from "../html.js";
import { Notice, useLoad } from "../parts/common.js";
import { useStore } from "../store.js";

const AGAIN_MS = 5000;

/** Whether servers and workers are well, and what they can find. */
export function Server() {
  const { session } = useStore();
  const { value: server, error, again } = useLoad(() => api.server(), []);
  useEffect(() => {
    const timer = setInterval(again, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="page-head"><h1>Server</h1>
      ${server && html`<span class=${`state ${server.ready ? "done" : "failed"}`}>${server.ready ? "Ready" : "Not ready"}</span>`}</div>
    ${error && html`<${Notice} bad>${error.message}<//>`}
    ${!server && !error && html`<div class="ghost table-ghost" role="status" aria-label="The server's state is loading"></div>`}
    ${server && html`<div class="tiles">
      <section class="panel tile"><h2>Model</h2><p class="big-word">${server.checkpoint || "Unknown"}</p>${server.note && html`<p class="soft small">${server.note}</p>`}</section>
      <section class="panel tile"><h2>Queue</h2><p class="big-word">${count(server.queue.queued, "video")}</p><p class="soft small">wait, and ${server.queue.running} ${server.queue.running === 1 ? "is" : "are"} analysed now</p></section>
      <section class="panel tile"><h2>Workers</h2><${Workers} number=${server.workers} /></section>
      <section class="panel tile wide"><h2>Servers</h2><ul class="plain-list">${server.servers.map((one) => html`<${OneServer} key=${one.name} one=${one} />`)}</ul></section>
      <section class="panel tile wide"><h2>Finds</h2><p class="chips">${server.findings.length ? server.findings.map((name) => html`<span key=${name}>${name}</span>`) : "Unknown until a server answers"}</p></section>
      <section class="panel tile wide"><h2>Your key</h2><p class="soft">Owner <b>${session.owner}</b></p><p class="chips">${session.scopes.map((scope) => html`<span key=${scope}>${scope}</span>`)}</p></section>
    </div>`}`;
}

function Workers({ number }) {
  return html`<p class="big-word">${count(number, "worker")}</p>
    ${number === 0 ? html`<p class="small tile-bad">Videos wait until a worker starts: trireel worker.</p>` : html`<p class="soft small">analyse videos</p>`}`;
}

function OneServer({ one }) {
  return html`<li><span class=${`state ${one.ready ? "done" : "failed"}`}>${/^\d+$/.test(one.name) ? `Server ${one.name}` : one.name}</span>
    <span class="soft small">${one.ready ? `Trireel ${one.version}` : "does not answer"}</span></li>`;
}
