// SPDX-License-Identifier: Apache-2.0
/** The reader's own words, scored against stored embeddings while they are typed. */
import { api } from "../api.js";
import { html, useEffect, useState } from "../html.js";
import { usePause } from "./common.js";

const MOST_WORDS = 12;
const PAUSE_MS = 250;

const split = (text) => [...new Set(text.split(/[,;\n]/).map((word) => word.trim()).filter(Boolean))].slice(0, MOST_WORDS);

/** Return {text, setText, words, error, busy, forget}; `words` have a probability for each frame. */
export function useOwnWords(id) {
  const [text, setText] = useState("");
  const [state, setState] = useState({ words: [], error: "", busy: false });
  const late = usePause(text, PAUSE_MS);
  useEffect(() => {
    const wanted = split(late);
    if (!wanted.length) {
      setState({ words: [], error: "", busy: false });
      return undefined;
    }
    const stop = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    api.ownTags(id, wanted, stop.signal).then(
      (answer) => setState({ words: series(wanted, answer), error: "", busy: false }),
      (error) => error.name !== "AbortError" && setState({ words: [], error: error.message, busy: false }),
    );
    return () => stop.abort();
  }, [id, late]);
  const forget = (word) => setText(split(text).filter((other) => other !== word).join(", "));
  return { text, setText, ...state, forget };
}

/** One series a word, in the order in which the reader wrote them. */
function series(wanted, { tags, frames }) {
  const words = tags.map(({ text, probability }, index) => {
    const values = frames.probabilities[index];
    return { text, times: frames.pts_seconds, values, whole: probability, best: Math.max(probability, ...values) };
  });
  return words.sort((a, b) => wanted.indexOf(a.text) - wanted.indexOf(b.text));
}

export function OwnWords({ own }) {
  return html`<label class="own-words">
    <span class="visually-hidden">Your own words, separated by commas</span>
    <input class="input" value=${own.text} onInput=${(event) => own.setText(event.target.value)} spellcheck="false" autocomplete="off"
      placeholder="Try your own words: a red car, somebody cooking" aria-describedby="own-words-state" />
    <span id="own-words-state" class="small own-state" role="status">${own.error || (own.busy ? "Scoring…" : "")}</span>
  </label>`;
}
