// SPDX-License-Identifier: Apache-2.0
import { api, fileOf } from "../api.js";
import { clock, percent } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";
import { Empty, Notice, usePause } from "../parts/common.js";
import { go, toVideo } from "../route.js";

const MOST = 48;
const LIKELY = 0.2;
const POSSIBLE = 0.01; // below it a moment is shown only if nothing is likely
const LOOP_SECONDS = 4;
const IDEAS = ["a person lifting weights", "a busy street", "somebody cooking"];

/** Moments of all videos that fit a text; they play while the pointer is over them. */
export function Search({ route }) {
  const [fields, setFields] = useState(() => ({ q: route.values.get("q") ?? "", object: route.values.get("object") ?? "", text: route.values.get("text") ?? "" }));
  const [answer, setAnswer] = useState({});
  const late = usePause(JSON.stringify(fields), 300);
  const set = (name) => (event) => setFields({ ...fields, [name]: event.target.value });
  useEffect(() => {
    const wanted = JSON.parse(late);
    const values = Object.fromEntries(Object.entries(wanted).map(([name, text]) => [name, text.trim()]).filter(([, text]) => text));
    go(`#/search${Object.keys(values).length ? `?${new URLSearchParams(values)}` : ""}`, { replace: true });
    if (!Object.keys(values).length) return setAnswer({});
    const stop = new AbortController();
    setAnswer((before) => ({ ...before, busy: true }));
    api.search({ ...values, limit: MOST }, stop.signal).then(
      ({ moments }) => setAnswer({ moments }),
      (error) => error.name !== "AbortError" && setAnswer({ error: error.message }),
    );
    return () => stop.abort();
  }, [late]);
  const { moments, error, busy } = answer;
  const isGood = ({ probability }) => probability == null || probability >= LIKELY;
  const good = moments?.filter(isGood) ?? [];
  const rest = moments?.filter((moment) => !isGood(moment)) ?? [];
  const weak = good.length ? rest.filter(({ probability }) => probability >= POSSIBLE) : rest;
  return html`
    <h1 class="visually-hidden">Search</h1>
    <form class="search-form" role="search" onSubmit=${(event) => event.preventDefault()}>
      <div class="find big"><${Icon} name="search" /><input class="input" type="search" value=${fields.q} onInput=${set("q")} placeholder="Describe a moment" aria-label="Describe a moment" autofocus /></div>
      <label class="field"><span>Object in it</span><input class="input" value=${fields.object} onInput=${set("object")} placeholder="car" /></label>
      <label class="field"><span>Text on the screen</span><input class="input" value=${fields.text} onInput=${set("text")} placeholder="closing sale" /></label>
    </form>
    <p class="visually-hidden" role="status">${busy ? "Searching" : moments ? `${moments.length} moments found` : ""}</p>
    ${error && html`<${Notice} bad>${error}<//>`}
    ${!moments && !error && !busy && html`<${Empty} icon="search" title="Find a moment in any video"><p>Say in your own words what is to be seen. Frames are compared, not file names.</p>
      <div class="spread ideas">${IDEAS.map((idea) => html`<button key=${idea} class="button slim" onClick=${() => setFields({ ...fields, q: idea })}>${idea}</button>`)}</div><//>`}
    ${moments?.length === 0 && !busy && html`<${Empty} icon="search" title="Nothing fits"><p>Use other words, or fewer conditions.</p><//>`}
    ${busy && !moments && html`<ul class="moments">${[1, 2, 3, 4, 5, 6].map((key) => html`<li class="ghost poster" key=${key}></li>`)}</ul>`}
    <${Moments} moments=${good} busy=${busy} />
    ${weak.length > 0 && html`<h2 class="weaker">${good.length ? "Less likely" : "Nothing is likely; these come nearest"}</h2><${Moments} moments=${weak} busy=${busy} />`}`;
}

function Moments({ moments, busy }) {
  return html`<ul class=${`moments ${busy ? "stale" : ""}`}>${moments.map((moment) => html`<${Moment} key=${`${moment.video} ${moment.best_seconds}`} moment=${moment} />`)}</ul>`;
}

function Moment({ moment }) {
  const [plays, setPlays] = useState(false);
  const { video, name, start_seconds: start, end_seconds: end, best_seconds: best, probability } = moment;
  return html`<li class="moment" onPointerEnter=${() => setPlays(true)} onPointerLeave=${() => setPlays(false)}>
    <a href=${toVideo(video, best)} onFocus=${() => setPlays(true)} onBlur=${() => setPlays(false)}
      aria-label=${`${name}, ${clock(start)} to ${clock(end)}${probability == null ? "" : `, ${percent(probability)}`}`}>
      <div class="poster">${moment.thumbnail && html`<img src=${moment.thumbnail} alt="" loading="lazy" />`}
        ${plays && html`<${Preview} video=${video} start=${Math.max(start, best - LOOP_SECONDS / 2)} end=${end} />`}
        <span class="poster-time mono">${clock(best)}</span></div>
      <div class="moment-text"><b>${name}</b>${probability != null && html`<span class="fit" style=${{ "--fit": probability }}>${percent(probability)}</span>`}
        <span class="small soft mono">${clock(start)} – ${clock(end)}</span></div>
    </a></li>`;
}

/** A silent loop around the best frame. */
function Preview({ video, start, end }) {
  const element = useRef(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const node = element.current;
    const last = Math.max(start + 1, Math.min(end, start + LOOP_SECONDS));
    const again = () => { if (node.currentTime >= last || node.ended) { node.currentTime = start; node.play().catch(() => {}); } };
    node.addEventListener("timeupdate", again);
    node.addEventListener("loadedmetadata", () => { node.currentTime = start; }, { once: true });
    node.addEventListener("seeked", () => setReady(true), { once: true });
    node.muted = true;
    node.src = fileOf(video);
    node.play().catch(() => {});
    return () => { node.removeEventListener("timeupdate", again); node.removeAttribute("src"); node.load(); };
  }, []);
  return html`<video ref=${element} class=${ready ? "ready" : ""} muted playsinline preload="auto" tabindex="-1" aria-hidden="true"></video>`;
}
