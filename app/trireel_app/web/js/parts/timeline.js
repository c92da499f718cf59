// SPDX-License-Identifier: Apache-2.0
/** All findings over time, under one playhead. A click on a finding shows its first frame. */
import { sceneOf } from "../api.js";
import { lanesOf, marksOf } from "../findings.js";
import { clock, percent } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";
import { Area, Trace } from "./curves.js";

const MOST_ZOOM = 64;
const OBJECTS = 5; // lanes of objects that are shown at first

export function Timeline({ video, result, scenes, frames, words, onForget, playback, children }) {
  const [zoom, setZoom] = useState(1);
  const body = useRef(null);
  const scroll = useRef(null);
  const width = useWidth(scroll) * zoom;
  const [start, duration] = [result.start_seconds, Math.max(result.duration_seconds, 0.001)];
  const place = (from, to) => ({ left: `${(100 * (from - start)) / duration}%`, width: `${(100 * (to - from)) / duration}%` });
  const [all, setAll] = useState(false);
  const lanes = useMemo(() => lanesOf(result, scenes), [result, scenes]);
  const shown = lanes.filter((lane) => lane.name !== "object").length + OBJECTS;
  useEffect(() => playback.listen((seconds) => {
    const share = Math.min(1, Math.max(0, (seconds - start) / duration));
    body.current.style.setProperty("--at", share);
    if (!playback.element?.paused) follow(scroll.current, body.current, share);
  }), [playback]);
  const zoomBy = (factor) => setZoom((value) => Math.min(MOST_ZOOM, Math.max(1, value * factor)));
  return html`<section class="timeline panel" aria-label="Timeline">
    <div class="tl-head">
      <${Readout} playback=${playback} scenes=${scenes} />
      ${children}
      <div class="tl-zoom" role="group" aria-label="Zoom">
        <button class="button icon slim" aria-label="Zoom out" disabled=${zoom === 1} onClick=${() => zoomBy(0.5)}>−</button>
        <button class="button icon slim" aria-label="Zoom in" disabled=${zoom === MOST_ZOOM} onClick=${() => zoomBy(2)}>+</button>
      </div>
    </div>
    <div class="tl-scroll" ref=${scroll}><div class="tl-body" ref=${body} style=${{ width: `${zoom * 100}%` }}>
      <${Ruler} start=${start} duration=${duration} width=${width} playback=${playback} />
      <${Row} title="Scenes" kind="scenes">
        ${scenes.map((scene) => html`<button key=${scene.index} class="tl-scene" style=${{ ...place(scene.start, scene.end), backgroundImage: `url("${sceneOf(video.id, scene.index)}")` }}
          onClick=${() => playback.seek(scene.start)} title=${sceneTitle(scene)} aria-label=${sceneTitle(scene)} data-start=${scene.start}></button>`)}
      <//>
      ${frames?.pts_seconds?.length > 1 && html`<${Row} title="Score" kind="trace"><${Trace} frames=${frames} changes=${result.scene_changes ?? []} start=${start} duration=${duration} playback=${playback} /><//>`}
      ${words.map((word) => html`<${Row} key=${word.text} title=${word.text} kind="word" note=${percent(word.best)} onForget=${() => onForget(word.text)}>
        <${Area} word=${word} start=${start} duration=${duration} playback=${playback} /><//>`)}
      ${lanes.slice(0, all ? lanes.length : shown).map((lane) => html`<${Row} key=${lane.name + lane.title} title=${lane.title} kind=${lane.name}>
        ${lane.spans.map((span, index) => html`<button key=${index} class=${`tl-span ${span.weight != null && span.weight < 0.5 ? "faint" : ""}`} style=${place(span.start, span.end)}
          onClick=${() => playback.seek(span.start)} title=${spanTitle(span)} aria-label=${spanTitle(span)}><span>${span.text}</span></button>`)}
      <//>`)}
      <i class="playhead" aria-hidden="true"></i>
    </div></div>
    ${lanes.length > shown && html`<button class="tl-more" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? "Show fewer objects" : `Show ${lanes.length - shown} more objects`}</button>`}
  </section>`;
}

const sceneTitle = ({ index, start, end, tag }) => `Scene ${index + 1}, ${clock(start)} to ${clock(end)}${tag ? `, ${tag.text}` : ""}`;
const spanTitle = ({ start, end, text, weight }) => `${text}, ${clock(start)} to ${clock(end)}${weight == null ? "" : `, ${percent(weight)}`}`;

function Row({ title, kind, note, onForget, children }) {
  return html`<div class=${`tl-row ${kind}`} role="group" aria-label=${title}>
    <div class="tl-label"><span title=${title}>${title}</span>${note && html`<b class="mono">${note}</b>`}
      ${onForget && html`<button class="tl-forget" onClick=${onForget} aria-label=${`Remove ${title}`}><${Icon} name="close" /></button>`}</div>
    <div class="tl-track">${children}</div>
  </div>`;
}

function Ruler({ start, duration, width, playback }) {
  const { marks, digits } = marksOf(start, duration, width);
  const slider = useRef(null);
  useEffect(() => playback.listen((seconds) => {
    slider.current.setAttribute("aria-valuenow", seconds.toFixed(2));
    slider.current.setAttribute("aria-valuetext", clock(seconds));
  }), [playback]);
  const scrub = (event) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const { left, width: size } = event.currentTarget.getBoundingClientRect();
    playback.scrub(start + duration * Math.min(1, Math.max(0, (event.clientX - left) / size)));
  };
  const onKey = (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: 25, PageDown: -25 };
    if (event.key in steps) playback.step(steps[event.key]);
    else if (event.key === "Home") playback.seek(start);
    else return;
    event.preventDefault();
  };
  return html`<div class="tl-row ruler"><div class="tl-label"></div>
    <div class="tl-track" ref=${slider} role="slider" tabindex="0" aria-label="Time; arrow keys go frame by frame" aria-valuemin=${start} aria-valuemax=${start + duration}
      onPointerDown=${scrub} onPointerMove=${scrub} onKeyDown=${onKey}>
      ${marks.map((mark) => html`<span key=${mark} style=${{ left: `${(100 * (mark - start)) / duration}%` }}>${clock(mark, digits)}</span>`)}
    </div></div>`;
}

function Readout({ playback, scenes }) {
  const [seconds, setSeconds] = useState(playback.seconds);
  useEffect(() => playback.listen(setSeconds), [playback]);
  const scene = scenes.findLast((one) => one.start <= seconds + 0.0005);
  return html`<p class="readout"><b class="mono" data-pts=${seconds}>${clock(seconds, 3)}</b>
    ${scene && !scene.isWhole && html`<span class="small soft">Scene ${scene.index + 1} of ${scenes.length}</span>`}</p>`;
}

function useWidth(element) {
  const [width, setWidth] = useState(1000);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** Scroll a zoomed timeline so that the playhead stays in sight. */
function follow(scroll, body, share) {
  const at = body.scrollWidth * share;
  if (at < scroll.scrollLeft || at > scroll.scrollLeft + scroll.clientWidth * 0.92) scroll.scrollLeft = at - scroll.clientWidth * 0.2;
}
