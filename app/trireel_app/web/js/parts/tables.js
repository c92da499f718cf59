// SPDX-License-Identifier: Apache-2.0
/** The findings as tables: scenes, and the chunks that the server worked on. */
import { sceneOf } from "../api.js";
import { clock, percent } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { Tabs } from "./common.js";

export function Tables({ video, result, scenes, playback }) {
  const [tab, setTab] = useState("scenes");
  const tabs = [["scenes", `Scenes ${scenes.length}`], ["chunks", `Chunks ${result.chunks?.length ?? 0}`]];
  return html`<section class="panel tables" aria-label="Tables">
    <${Tabs} label="Scenes or chunks" tabs=${tabs} value=${tab} onChange=${setTab} prefix="table" panel="table-panel" />
    <div class="table-scroll" id="table-panel" role="tabpanel" aria-labelledby=${`table-${tab}`} tabindex="0">
      ${tab === "scenes" ? html`<${Scenes} video=${video} scenes=${scenes} playback=${playback} />` : html`<${Chunks} chunks=${result.chunks ?? []} playback=${playback} />`}
    </div>
  </section>`;
}

function Time({ seconds, playback, isFrame = true }) {
  // A chunk begins at a time, not at a frame.
  return html`<button class="time mono" onClick=${() => (isFrame ? playback.seek(seconds) : playback.scrub(seconds))}>${clock(seconds)}</button>`;
}

function Scenes({ video, scenes, playback }) {
  const [here, setHere] = useState(-1);
  useEffect(() => playback.listen((seconds) => setHere(scenes.findLastIndex((scene) => scene.start <= seconds + 0.0005))), [playback, scenes]);
  return html`<table class="scenes"><thead><tr><th></th><th>Start</th><th>Length</th><th>Tag</th><th>Caption</th></tr></thead>
    <tbody>${scenes.map(({ index, start, end, tag, caption }) => html`<tr key=${index} aria-current=${index === here ? "true" : null}>
      <td class="thumb"><img src=${sceneOf(video.id, index)} alt="" loading="lazy" /></td>
      <td><${Time} seconds=${start} playback=${playback} /></td>
      <td class="mono">${(end - start).toFixed(2)} s</td>
      <td>${tag && html`${tag.text} <span class="soft small">${percent(tag.probability)}</span>`}</td>
      <td class="soft">${caption?.text}</td></tr>`)}</tbody></table>`;
}

function Chunks({ chunks, playback }) {
  return html`<table><thead><tr><th>Chunk</th><th>Start</th><th>Length</th><th>Frames</th><th>Cuts</th><th>Best tag</th><th>Caption</th></tr></thead>
    <tbody>${chunks.map((chunk) => html`<tr key=${chunk.index}>
      <td class="mono">${chunk.index}</td><td><${Time} seconds=${chunk.start_seconds} playback=${playback} isFrame=${false} /></td>
      <td class="mono">${chunk.duration_seconds.toFixed(2)} s</td><td class="mono">${chunk.frame_timestamps_seconds?.length ?? ""}</td>
      <td class="mono">${chunk.scene_changes?.length ?? 0}</td>
      <td>${chunk.tags?.[0] && html`${chunk.tags[0].text} <span class="soft small">${percent(chunk.tags[0].probability)}</span>`}</td>
      <td class="soft">${chunk.caption?.text}${chunk.damaged_packets ? html` <b>${chunk.damaged_packets} damaged packets</b>` : ""}</td></tr>`)}</tbody></table>`;
}
