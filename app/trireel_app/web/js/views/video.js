// SPDX-License-Identifier: Apache-2.0
import { api, exportOf } from "../api.js";
import { clockOf, scenesOf, tagsOf } from "../findings.js";
import { ago, bytes, clock, length, percent } from "../format.js";
import { html, useEffect, useMemo, useState } from "../html.js";
import { Icon } from "../icons.js";
import { Chat, useChat } from "../parts/chat.js";
import { Confirm, Empty, Notice, Tabs, useLoad } from "../parts/common.js";
import { Live } from "../parts/live.js";
import { OwnWords, useOwnWords } from "../parts/own_words.js";
import { Player } from "../parts/player.js";
import { Tables } from "../parts/tables.js";
import { Timeline } from "../parts/timeline.js";
import { Playback } from "../playback.js";
import { go } from "../route.js";
import { drop, may, put, tell, useStore } from "../store.js";

const EXPORTS = [["scenes.csv", "Scenes as CSV"], ["scenes.edl", "Scenes as EDL"], ["captions.srt", "Captions as SRT"],
  ["captions.vtt", "Captions as WebVTT"], ["objects.json", "Objects as JSON"], ["analysis.json", "Everything as JSON"]];

/** One video: while it is analysed, and with its findings. */
export function Video({ route }) {
  const { id } = route;
  const { videos } = useStore();
  const [error, setError] = useState(null);
  const video = videos?.get(id);
  // Also if it leaves the list, which holds the newest videos and those that were opened.
  useEffect(() => {
    setError(null);
    if (!video) api.video(id).then(put, setError);
  }, [id, !video]);
  if (error?.status === 404 || (videos && !video && error)) {
    return html`<${Empty} icon="film" title="This video is not here"><p>${error.status === 404 ? "It was deleted, or it belongs to another key." : error.message}</p><a class="button" href="#/">Go to the library</a><//>`;
  }
  if (!video) return html`<${Ghost} />`;
  return html`<${Head} video=${video} />${video.state === "done"
    ? html`<${Findings} key=${id} video=${video} seconds=${route.values.get("t")} />`
    : html`<${Live} key=${id} video=${video} />`}`;
}

function Ghost() {
  return html`<div class="video-grid" role="status" aria-label="The video is loading"><div class="ghost player-ghost"></div><div class="ghost"></div></div>`;
}

function Head({ video }) {
  const [asks, setAsks] = useState(false);
  const remove = async (yes) => {
    setAsks(false);
    if (!yes) return;
    try {
      await api.remove(video.id);
      drop(video.id);
      tell(`${video.name} is deleted.`);
      go("#/");
    } catch (error) {
      tell(error.message);
    }
  };
  return html`<div class="page-head video-head">
    <h1>${video.name}</h1>
    <div class="spread push">
      ${video.state === "done" && html`<${Exports} id=${video.id} />`}
      ${may("videos:write") && html`<button class="button danger" onClick=${() => setAsks(true)}><${Icon} name="trash" />Delete</button>`}
    </div>
    ${asks && html`<${Confirm} title=${`Delete ${video.name}?`} yes="Delete the video" onClose=${remove}>
      The file, its findings and its moments in the search are removed for good.<//>`}
  </div>`;
}

function Exports({ id }) {
  return html`<button class="button" popovertarget="exports"><${Icon} name="download" />Export</button>
    <div class="menu" id="exports" popover="auto">${EXPORTS.map(([name, title]) => html`<a key=${name} href=${exportOf(id, name)} download>${title}</a>`)}</div>`;
}

function Findings({ video, seconds }) {
  const { value: result, error, again } = useLoad(() => api.result(video.id), [video.id, video.finished_at]);
  const { value: frames } = useLoad(() => api.frames(video.id), [video.id, video.finished_at]);
  if (error) return html`<${Notice} bad>${error.message} <button class="button slim" onClick=${again}>Try again</button><//>`;
  if (!result) return html`<${Ghost} />`;
  return html`<${Opened} video=${video} result=${result} frames=${frames} seconds=${seconds} />`;
}

function Opened({ video, result, frames, seconds }) {
  const scenes = useMemo(() => scenesOf(result), [result]);
  const playback = useMemo(() => new Playback(clockOf(result)), [result]);
  const own = useOwnWords(video.id);
  const chat = useChat(video.id);
  const [tab, setTab] = useState("about");
  const hasBoxes = Boolean(result.objects?.detections?.length);
  const [boxes, setBoxes] = useState(false);
  useEffect(() => { if (seconds != null && Number.isFinite(Number(seconds))) playback.seek(Number(seconds)); }, [seconds, playback]);
  useKeys(playback, scenes);
  const tabs = [["about", "About"], chat.offered && ["ask", "Ask"]].filter(Boolean);
  return html`
    <div class="video-grid">
      <div class="stage">
        <${Player} video=${video} result=${result} playback=${playback} boxes=${boxes} />
        ${hasBoxes && html`<button class="button slim box-switch" aria-pressed=${boxes} onClick=${() => setBoxes(!boxes)}><${Icon} name="boxes" />${boxes ? "Hide objects" : "Show objects"}</button>`}
      </div>
      <aside class="side panel">
        ${tabs.length > 1 && html`<${Tabs} label="About or ask" tabs=${tabs} value=${tab} onChange=${setTab} prefix="tab" panel="side-panel" />`}
        <div id="side-panel" role=${tabs.length > 1 ? "tabpanel" : null} aria-labelledby=${tabs.length > 1 ? `tab-${tab}` : null}>
          ${tab === "ask" && chat.offered ? html`<${Chat} chat=${chat} onSeek=${(at) => playback.seek(at)} video=${video} />`
            : html`<${About} video=${video} result=${result} scenes=${scenes} playback=${playback} />`}
        </div>
      </aside>
    <${Timeline} video=${video} result=${result} scenes=${scenes} frames=${frames} words=${own.words} onForget=${own.forget} playback=${playback}>
      <${OwnWords} own=${own} />
    <//>
    <p class="keys small soft"><kbd>Space</kbd> play <kbd>,</kbd> <kbd>.</kbd> one frame <kbd>[</kbd> <kbd>]</kbd> one scene <kbd>/</kbd> search</p>
    <${Tables} video=${video} result=${result} scenes=${scenes} playback=${playback} />
    </div>`;
}

function About({ video, result, scenes, playback }) {
  const tags = tagsOf(scenes);
  // The best caption of many scenes together would name one of them only.
  const lead = result.summary || (scenes.length === 1 && result.caption?.text);
  const [width, height] = result.picture_size_px ?? [];
  const rate = result.frame_rate?.[1] ? result.frame_rate[0] / result.frame_rate[1] : null;
  const facts = [
    ["Length", length(result.duration_seconds)],
    ["Picture", width ? `${width} × ${height}, ${result.decoder}` : null],
    ["Frames", rate ? `${Number(rate.toFixed(2))} a second${result.is_vfr ? ", variable" : ""}` : null],
    ["Scenes", scenes[0].isWhole ? null : String(scenes.length)],
    ["Size", video.size_bytes ? bytes(video.size_bytes) : null],
    ["Analysed", video.finished_at ? ago(video.finished_at) : null],
    ["Kept until", video.expires_at ? new Date(video.expires_at).toLocaleDateString("en", { dateStyle: "medium" }) : null],
  ].filter(([, value]) => value);
  return html`<div class="about stack">
    ${lead && html`<p class="lead">${lead}</p>`}
    ${result.is_complete === false && html`<${Notice} bad>The file ends early, so the end of the video is missing.<//>`}
    <section aria-label="Tags"><h2 class="eyebrow">Seen in it</h2><ul class="bars">${tags.map((tag) => html`<li key=${tag.text}>
      <button onClick=${() => playback.seek(tag.start)} title=${`Go to ${clock(tag.start)}`}><span>${tag.text}</span>
        <span class="bar"><i style=${{ width: `${100 * (tag.seconds ? Math.min(1, tag.seconds / result.duration_seconds) : tag.probability)}%` }}></i></span>
        <span class="mono small soft">${tag.seconds ? length(tag.seconds) : percent(tag.probability)}</span></button></li>`)}</ul></section>
    <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${result.checkpoint_note && html`<p class="small soft">${result.checkpoint_note}</p>`}
  </div>`;
}

function useKeys(playback, scenes) {
  useEffect(() => {
    const jump = (step) => {
      const starts = scenes.map((scene) => scene.start);
      const here = starts.findLastIndex((start) => start <= playback.seconds + 0.0005);
      const back = step < 0 && playback.seconds - starts[Math.max(here, 0)] > 1 ? 0 : step;
      playback.seek(starts[Math.min(starts.length - 1, Math.max(0, here + back))]);
    };
    const keys = { " ": () => playback.toggle(), k: () => playback.toggle(), ",": () => playback.step(-1), ".": () => playback.step(1), "[": () => jump(-1), "]": () => jump(1) };
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      if (event.target.closest("input, textarea, select, dialog") || (event.key === " " && event.target.closest("button, a, video"))) return;
      event.preventDefault();
      keys[event.key]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [playback, scenes]);
}
