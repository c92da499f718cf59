// SPDX-License-Identifier: Apache-2.0
/** One video, or one upload, on the wall. */
import { api, posterOf, sceneOf } from "../api.js";
import { ago, bytes, clock, count, percent } from "../format.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { toVideo } from "../route.js";
import { put, tell } from "../store.js";
import { again, forget, stop } from "../uploads.js";
import { Meter, shareOf, stageOf, State } from "./common.js";

const ACTIVE = ["uploading", "queued", "running"];

export function VideoCard({ video }) {
  const done = video.state === "done";
  const active = ACTIVE.includes(video.state);
  return html`<li class="card">
    <${Poster} video=${video} />
    <div class="card-text">
      <h2 title=${video.name}><a href=${toVideo(video.id)}>${video.name}</a></h2>
      ${done && html`<p class="card-tags">${(video.tags ?? []).slice(0, 3).map((tag) => html`<span key=${tag.text}>${tag.text}</span>`)}</p>`}
      ${active && html`<p class="small soft">${stageOf(video)}</p>`}
      ${video.state === "failed" && html`<p class="small card-error" title=${video.error}>${video.error}</p>`}
      <p class="card-foot small soft">
        ${done ? html`<span>${count(video.num_scenes ?? 0, "scene")}</span><span>${ago(video.finished_at ?? video.created_at)}</span>` : html`<${State} state=${video.state} />`}
        <${Actions} video=${video} active=${active} />
      </p>
    </div>
  </li>`;
}

/** The poster; a pointer that moves over it goes through the scenes. */
function Poster({ video }) {
  const [scene, setScene] = useState(null);
  const [broken, setBroken] = useState(false);
  const done = video.state === "done";
  const scenes = done ? video.num_scenes ?? 0 : 0;
  const move = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setScene(Math.max(0, Math.min(scenes - 1, Math.floor(((event.clientX - left) / width) * scenes))));
  };
  const address = scene == null ? posterOf(video.id) : sceneOf(video.id, scene);
  return html`<a class=${`poster ${done ? "" : "quiet"}`} href=${toVideo(video.id)} tabindex="-1" aria-hidden="true" onPointerMove=${scenes > 1 ? move : null} onPointerLeave=${() => setScene(null)}>
    ${done && !broken
      ? html`<img src=${address} alt="" loading="lazy" onError=${() => setBroken(true)} />`
      : html`<${Icon} name=${video.state === "failed" ? "alert" : "film"} />`}
    ${done && video.duration_seconds != null && html`<span class="poster-time mono">${clock(video.duration_seconds, 0)}</span>`}
    ${scene != null && html`<span class="ticks" aria-hidden="true">${Array.from({ length: Math.min(scenes, 40) }, (_, index) =>
      html`<i key=${index} class=${Math.floor((scene / scenes) * Math.min(scenes, 40)) === index ? "on" : ""}></i>`)}</span>`}
    ${ACTIVE.includes(video.state) && html`<${Meter} share=${video.state === "queued" ? 0 : shareOf(video)} label=${`Progress of ${video.name}`} />`}
  </a>`;
}

function Actions({ video, active }) {
  const run = async (event, action) => {
    event.preventDefault();
    try {
      put(await api[action](video.id));
    } catch (error) {
      tell(error.message);
    }
  };
  if (active) return html`<button class="button slim plain push" onClick=${(event) => run(event, "cancel")} aria-label=${`Cancel ${video.name}`}>Cancel</button>`;
  if (["failed", "cancelled"].includes(video.state)) {
    return html`<button class="button slim plain push" onClick=${(event) => run(event, "retry")} aria-label=${`Try ${video.name} again`}>Try again</button>`;
  }
  return null;
}

export function UploadCard({ upload }) {
  const share = upload.size ? upload.sent / upload.size : 0;
  return html`<li class="card">
    <div class="poster quiet"><${Icon} name=${upload.error ? "alert" : "upload"} />${!upload.error && html`<${Meter} share=${share} label=${`Upload of ${upload.name}`} />`}</div>
    <div class="card-text">
      <h2 title=${upload.name}>${upload.name}</h2>
      ${upload.error ? html`<p class="small card-error" role="alert">${upload.error}</p>` : html`<p class="small soft">${percent(share)} of ${bytes(upload.size)}</p>`}
      <p class="card-foot small soft"><${State} state=${upload.error ? "failed" : "uploading"} />
        ${upload.error && html`<button class="button slim plain push" onClick=${() => again(upload)}>Try again</button>`}
        <button class=${`button slim plain ${upload.error ? "" : "push"}`} onClick=${() => (upload.error ? forget : stop)(upload)}>${upload.error ? "Dismiss" : "Cancel"}</button>
      </p>
    </div>
  </li>`;
}
