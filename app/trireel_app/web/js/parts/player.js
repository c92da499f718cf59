// SPDX-License-Identifier: Apache-2.0
import { fileOf } from "../api.js";
import { boxesAt } from "../findings.js";
import { html, useEffect, useRef, useState } from "../html.js";

/** The browser's own player; boxes of objects may lie over it. */
export function Player({ video, result, playback, boxes }) {
  const element = useRef(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => playback.attach(element.current), [playback]);
  const [width, height] = result.picture_size_px ?? [16, 9];
  return html`<div class="player" style=${{ "--ratio": width / height }}>
    <video ref=${element} src=${fileOf(video.id)} controls playsinline preload="auto"
      aria-label=${video.name} onError=${() => setBroken(true)}></video>
    ${boxes && html`<${Boxes} result=${result} playback=${playback} />`}
    ${broken && html`<p class="player-word">This browser cannot play the file. The findings below are complete.</p>`}
  </div>`;
}

function Boxes({ result, playback }) {
  const [found, setFound] = useState([]);
  useEffect(() => playback.listen((seconds) => setFound(boxesAt(result, seconds))), [playback, result]);
  return html`<div class="boxes" aria-hidden="true">${found.map(({ box: [left, top, right, bottom], label, track_id: track }, index) =>
    html`<i key=${index} style=${{ left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` }}>
      <b>${label}${track == null ? "" : ` ${track}`}</b></i>`)}</div>`;
}
