// SPDX-License-Identifier: Apache-2.0
import { html } from "../html.js";
import { Chat, useChat } from "../parts/chat.js";
import { Empty } from "../parts/common.js";

/** Questions about all videos. */
export function Ask() {
  const chat = useChat(null);
  return html`<div class="page-head"><h1>Ask</h1></div>
    ${chat.offered || chat.lines.length ? html`<section class="panel ask"><${Chat} chat=${chat} /></section>`
      : html`<${Empty} icon="ask" title="This server has no chat"><p>The search finds moments in your own words without it.</p><a class="button" href="#/search">Search</a><//>`}`;
}
