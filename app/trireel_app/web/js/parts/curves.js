// SPDX-License-Identifier: Apache-2.0
/** Curves over sampled frames. A click shows the nearest of these frames. */
import { clock } from "../format.js";
import { html } from "../html.js";

const HIGH = 100;

function points(times, values, start, duration, bottom, top) {
  const pairs = [];
  const span = top - bottom || 1;
  times.forEach((time, index) => {
    const value = values[index];
    if (value == null) return;
    const y = HIGH - (HIGH * (Math.min(top, Math.max(bottom, value)) - bottom)) / span;
    pairs.push([((1000 * (time - start)) / duration).toFixed(2), y.toFixed(2)]);
  });
  return pairs;
}

function nearest(times, seconds) {
  return times.reduce((best, time) => (Math.abs(time - seconds) < Math.abs(best - seconds) ? time : best), times[0]);
}

function onPoint(event, times, start, duration, playback) {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  playback.seek(nearest(times, start + (duration * (event.clientX - left)) / width));
}

/** How much each sampled frame is like those before it, with a mark at each change of scene. */
export function Trace({ frames, changes, start, duration, playback }) {
  const { pts_seconds: times, scores } = frames;
  const known = scores.filter((score) => score != null);
  const line = points(times, scores, start, duration, Math.min(...known), Math.max(...known));
  const at = (seconds) => `${(100 * (seconds - start)) / duration}%`;
  return html`<div class="curve" onClick=${(event) => onPoint(event, times, start, duration, playback)}>
    <svg viewBox="0 0 1000 ${HIGH}" preserveAspectRatio="none" role="img" aria-label=${`Score of ${times.length} sampled frames`}>
      <polyline class="trace-line" points=${line.join(" ")} vector-effect="non-scaling-stroke" /></svg>
    ${changes.map((change) => html`<button key=${change.timestamp_seconds} class=${`cut ${change.kind}`} style=${{ left: at(change.timestamp_seconds) }}
      onClick=${(event) => { event.stopPropagation(); playback.seek(change.timestamp_seconds); }} data-cut=${change.timestamp_seconds}
      title=${`${change.kind} at ${clock(change.timestamp_seconds, 3)}`} aria-label=${`${change.kind} at ${clock(change.timestamp_seconds, 3)}`}></button>`)}
  </div>`;
}

/** The probability of one of the reader's own words over time. */
export function Area({ word, start, duration, playback }) {
  const line = points(word.times, word.values, start, duration, 0, 1);
  if (!line.length) return null;
  const area = [[line[0][0], HIGH], ...line, [line.at(-1)[0], HIGH]];
  return html`<div class="curve" onClick=${(event) => onPoint(event, word.times, start, duration, playback)}>
    <svg viewBox="0 0 1000 ${HIGH}" preserveAspectRatio="none" role="img" aria-label=${`Probability of ${word.text} over time`}>
      <polygon class="word-area" points=${area.join(" ")} /><polyline class="word-line" points=${line.join(" ")} vector-effect="non-scaling-stroke" /></svg>
  </div>`;
}
