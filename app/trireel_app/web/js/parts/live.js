// SPDX-License-Identifier: Apache-2.0
/** A video that is not done: its stage, and what was found so far, as the events come. */
import { api } from "../api.js";
import { listen } from "../events.js";
import { clock } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { Icon } from "../icons.js";
import { put, refresh, tell } from "../store.js";
import { Meter, Notice, shareOf, stageOf, State } from "./common.js";

const MOST_LINES = 60;

export function Live({ video }) {
  const [found, setFound] = useState([]);
  const ended = ["failed", "cancelled"].includes(video.state);
  useEffect(() => {
    if (ended) return undefined;
    const seen = new Set();
    return listen(`/v1/videos/${encodeURIComponent(video.id)}/events`, (event) => {
      if (seen.has(event.id)) return;
      seen.add(event.id);
      const line = lineOf(event);
      if (line) setFound((lines) => [{ ...line, id: event.id }, ...lines].slice(0, MOST_LINES));
      if (["state", "done", "progress"].includes(event.kind)) refresh(video.id);
    });
  }, [video.id, ended]);
  const run = (action) => api[action](video.id).then(put, (error) => tell(error.message));
  if (ended) {
    return html`<div class="panel live stack"><${State} state=${video.state} />
      ${video.error ? html`<${Notice} bad>${video.error}<//>` : html`<p class="soft">The analysis was cancelled before it ended.</p>`}
      <div><button class="button main" onClick=${() => run("retry")}><${Icon} name="retry" />Try again</button></div></div>`;
  }
  return html`<div class="live-grid">
    <section class="panel live stack" aria-label="Progress">
      <div class="spread"><${State} state=${video.state} /><span class="soft">${stageOf(video)}</span>
        <button class="button slim push" onClick=${() => run("cancel")}>Cancel</button></div>
      <${Cells} progress=${video.progress ?? {}} video=${video} />
      <p class="small soft">You can close this page: the analysis goes on.</p>
    </section>
    <section class="panel live stack" aria-label="Found so far">
      <h2>Found so far</h2>
      ${found.length === 0 && html`<p class="soft">Cuts, tags and captions appear here as soon as they are found.</p>`}
      <ol class="found" aria-live="polite">${found.map((line) => html`<li key=${line.id} class=${line.kind}>
        <span class="mono small">${line.at == null ? "" : clock(line.at)}</span><b>${line.name}</b><span>${line.text}</span></li>`)}</ol>
    </section>
  </div>`;
}

/** A cell for each chunk; they fill while the chunks are analysed. */
function Cells({ progress: { chunks_done: done = 0, chunks_total: total }, video }) {
  if (!total || total > 240) return html`<${Meter} share=${video.state === "queued" ? 0 : shareOf(video)} label="Progress" />`;
  return html`<div class="cells" role="progressbar" aria-label="Chunks" aria-valuemin="0" aria-valuemax=${total} aria-valuenow=${done}>
    ${Array.from({ length: total }, (_, index) => html`<i key=${index} class=${index < done ? "full" : index === done ? "now" : ""}></i>`)}</div>`;
}

function lineOf({ kind, data }) {
  if (kind === "scene") return { kind, name: data.kind ?? "cut", at: data.seconds, text: "a new scene begins" };
  if (kind === "caption") return { kind, name: "caption", at: data.start_seconds, text: data.text };
  if (kind === "description") return { kind, name: "description", at: data.start_seconds, text: data.text };
  if (kind === "tags") {
    const tags = Array.isArray(data) ? data : data.tags ?? [];
    return { kind, name: "tags", at: null, text: tags.slice(0, 3).map((tag) => tag.text ?? tag).join(", ") };
  }
  return null;
}
