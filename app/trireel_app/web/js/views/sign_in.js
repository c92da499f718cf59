// SPDX-License-Identifier: Apache-2.0
import { api } from "../api.js";
import { html, useState } from "../html.js";
import { Mark } from "../icons.js";
import { Notice } from "../parts/common.js";
import { change, useStore } from "../store.js";

/** The door: a key opens a session. */
export function SignIn() {
  const { trouble } = useStore();
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const key = new FormData(event.target).get("key").trim();
    if (!key) return;
    setBusy(true);
    try {
      change({ session: await api.signIn(key), trouble: "" });
    } catch (error) {
      change({ trouble: error.status === 401 ? "This key is not valid: check it, or ask for a new one." : error.message });
      setBusy(false);
    }
  };
  return html`<main class="door"><div class="panel">
    <p class="brand"><${Mark} /><span>Trireel</span></p>
    <p class="soft">Find out what happens in your videos, frame by frame.</p>
    <form class="stack" onSubmit=${submit}>
      <input hidden name="user" autocomplete="username" value="trireel" readonly />
      <label class="field"><span>Key</span>
        <input class="input mono" name="key" type="password" autocomplete="current-password" placeholder="trk_…" required autofocus />
      </label>
      ${trouble && html`<${Notice} bad>${trouble}<//>`}
      <button class="button main" disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
    </form>
    <p class="small soft">Who runs this server makes keys with <span class="mono">trireel keys create</span>.</p>
  </div></main>`;
}
