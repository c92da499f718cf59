// SPDX-License-Identifier: Apache-2.0
/** Small pieces that all views use. */
import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";

export function Notice({ bad, children }) {
  return html`<div class=${`notice ${bad ? "bad" : ""}`} role=${bad ? "alert" : null}>
    <${Icon} name=${bad ? "alert" : "info"} /><div>${children}</div></div>`;
}

export function Empty({ icon, title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} /><h2>${title}</h2>${children}</div>`;
}

/** A modal question; `onClose` gets true if the answer is yes. */
export function Confirm({ title, yes, children, onClose }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog class="sheet" ref=${dialog} aria-labelledby="confirm-title" onClose=${(event) => onClose(event.target.returnValue === "yes")}>
    <form method="dialog">
      <h2 id="confirm-title">${title}</h2>
      <div class="soft">${children}</div>
      <div class="actions">
        <button class="button" value="no" autofocus>Keep it</button>
        <button class="button danger main" value="yes">${yes}</button>
      </div>
    </form>
  </dialog>`;
}

const WORDS = { uploading: "Uploading", queued: "Waiting", running: "Analysing", done: "Done", failed: "Failed", cancelled: "Cancelled" };

export function State({ state }) {
  return html`<span class=${`state ${state}`}>${WORDS[state] ?? state}</span>`;
}

/** Progress as a bar; without a share it only shows that something happens. */
export function Meter({ share, label }) {
  const known = share != null;
  return html`<div class=${`meter ${known ? "" : "wait"}`} role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${known ? Math.round(share * 100) : null}><i style=${known ? { width: `${100 * share}%` } : {}}></i></div>`;
}

/** Tabs `[[name, title], ...]`; arrow keys go from one to the next. */
export function Tabs({ label, tabs, value, onChange, prefix, panel }) {
  const onKey = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(([name]) => name === value);
    const [name] = tabs[(at + step + tabs.length) % tabs.length];
    onChange(name);
    document.getElementById(`${prefix}-${name}`).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKey}>${tabs.map(([name, title]) =>
    html`<button key=${name} role="tab" id=${`${prefix}-${name}`} aria-selected=${value === name} aria-controls=${panel}
      tabindex=${value === name ? 0 : -1} onClick=${() => onChange(name)}>${title}</button>`)}</div>`;
}

/** Load something when `keys` change: {value, error, again}. */
export function useLoad(load, keys) {
  const [result, setResult] = useState({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    let current = true;
    load().then((value) => current && setResult({ value }), (error) => current && setResult({ error }));
    return () => { current = false; };
  }, [...keys, round]);
  return { ...result, again: () => setRound((number) => number + 1) };
}

/** Return a value that follows another after a pause. */
export function usePause(value, milliseconds) {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return late;
}

/** One line about a video that is not done: stage, place in the queue, time left. */
export function stageOf(video) {
  const { stage, chunks_done: done, chunks_total: total, queue_place: place, eta_seconds: eta } = video.progress ?? {};
  if (video.state === "queued") return place > 1 ? `Place ${place} in the queue` : "Next in the queue";
  if (stage === "fetch") return "Fetching the file";
  if (stage === "store") return "Storing the results";
  const left = eta != null && eta >= 1 ? `, about ${Math.ceil(eta)} s left` : "";
  return total ? `Chunk ${Math.min(done + 1, total)} of ${total}${left}` : "Looking at the file";
}

export const shareOf = (video) => {
  const { chunks_done: done, chunks_total: total } = video.progress ?? {};
  return video.state === "running" && total ? done / total : null;
};
