// SPDX-License-Identifier: Apache-2.0
/** Questions about one video, or about all. Times in an answer can be clicked. */
import { api } from "../api.js";
import { clock } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";
import { toVideo } from "../route.js";
import { useStore } from "../store.js";
import { Notice } from "./common.js";

/** The chat's lines and its call. `offered` is false if this server has no chat, or this key may not use it. */
export function useChat(video) {
  const { hasChat } = useStore();
  const [lines, setLines] = useState([]);
  const [busy, setBusy] = useState(false);
  const session = useRef(null);
  useEffect(() => { setLines([]); session.current = null; }, [video]);
  const ask = async (question) => {
    setLines((before) => [...before, { from: "you", text: question }]);
    setBusy(true);
    try {
      const answer = await api.ask({ question, ...(video && { video }), ...(session.current && { session: session.current }) });
      session.current = answer.session;
      setLines((before) => [...before, { from: "trireel", text: answer.answer, citations: answer.citations }]);
    } catch (error) {
      setLines((before) => [...before, { from: "error", text: error.message }]);
    }
    setBusy(false);
  };
  return { lines, busy, ask, offered: hasChat };
}

export function Chat({ chat, video, onSeek }) {
  const log = useRef(null);
  useEffect(() => { log.current.scrollTop = log.current.scrollHeight; }, [chat.lines, chat.busy]);
  const submit = (event) => {
    event.preventDefault();
    const field = event.target.elements.question;
    const question = field.value.trim();
    if (!question || chat.busy) return;
    field.value = "";
    chat.ask(question);
  };
  return html`<div class="chat">
    <div class="chat-log" ref=${log} role="log" aria-label="Conversation" tabindex="0">
      ${!chat.lines.length && html`<p class="soft chat-hint">Ask ${video ? "about this video" : "about all your videos"}. Each answer names the moments that it comes from.</p>`}
      ${chat.lines.map((line, index) => html`<${Line} key=${index} line=${line} video=${video} onSeek=${onSeek} />`)}
      ${chat.busy && html`<p class="soft" role="status">Looking for moments…</p>`}
    </div>
    <form class="chat-ask" onSubmit=${submit}>
      <input class="input" name="question" autocomplete="off" maxlength="2000" placeholder="What happens in the kitchen?" aria-label="Question" />
      <button class="button main icon" aria-label="Ask" disabled=${chat.busy}><${Icon} name="send" /></button>
    </form>
  </div>`;
}

function Line({ line, video, onSeek }) {
  if (line.from === "error") return html`<${Notice} bad>${line.text}<//>`;
  if (line.from === "you") return html`<p class="said">${line.text}</p>`;
  return html`<div class="answer"><p>${pieces(line.text, line.citations).map((piece, index) =>
    typeof piece === "string" ? piece : html`<${Cite} key=${index} citation=${piece} video=${video} onSeek=${onSeek} />`)}</p></div>`;
}

function Cite({ citation, video, onSeek }) {
  const at = citation.at_seconds;
  const range = `${clock(citation.start_seconds)} to ${clock(citation.end_seconds)}`;
  const label = `${citation.name}, ${clock(at, 3)}`;
  if (video && citation.video === video.id) return html`<button class="cite mono" title=${range} aria-label=${label} onClick=${() => onSeek(at)}>${clock(at)}</button>`;
  return html`<a class="cite mono" href=${toVideo(citation.video, at)} title=${range} aria-label=${label}>${citation.name} ${clock(at)}</a>`;
}

/** Cut an answer at the citations that the server has checked; anything else stays text. */
export function pieces(text, citations) {
  const out = [];
  let from = 0;
  while (from < text.length) {
    const places = citations.map((item) => text.indexOf(item.text, from)).map((at) => (at < 0 ? Infinity : at));
    const at = Math.min(...places, Infinity);
    if (at === Infinity) break;
    const citation = citations[places.indexOf(at)];
    out.push(text.slice(from, at), citation);
    from = at + citation.text.length;
  }
  return [...out, text.slice(from)];
}
