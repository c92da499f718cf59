// SPDX-License-Identifier: Apache-2.0
/** The shell: session, navigation, and the view that the address names. */
import { api, onSignedOut } from "./api.js";
import { follow } from "./events.js";
import { html, render, useEffect, useRef, useState } from "./html.js";
import { Icon, Mark } from "./icons.js";
import { go, useRoute } from "./route.js";
import { change, loadVideos, may, useStore } from "./store.js";
import { Ask } from "./views/ask.js";
import { Jobs } from "./views/jobs.js";
import { Library } from "./views/library.js";
import { Search } from "./views/search.js";
import { Server } from "./views/server.js";
import { SignIn } from "./views/sign_in.js";
import { Video } from "./views/video.js";

const VIEWS = { library: Library, videos: Video, search: Search, jobs: Jobs, server: Server, ask: Ask };

async function begin() {
  const key = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (key) {
    history.replaceState(null, "", location.pathname + location.search);
    try {
      return change({ session: await api.signIn(decodeURIComponent(key)) });
    } catch (error) {
      return change({ session: null, trouble: error.message });
    }
  }
  try {
    change({ session: await api.session() });
  } catch (error) {
    change({ session: null, trouble: error.status === 401 ? "" : error.message });
  }
}

function App() {
  const { session } = useStore();
  useEffect(() => {
    begin();
    addEventListener("hashchange", () => location.hash.startsWith("#key=") && begin());
    return onSignedOut(() => change({ session: null, trouble: "Your session has ended: sign in again." }));
  }, []);
  if (session === undefined) return html`<p class="boot" role="status">Opening Trireel…</p>`;
  return session ? html`<${Shell} />` : html`<${SignIn} />`;
}

function Shell() {
  const { online, hasChat } = useStore();
  const route = useRoute();
  const page = useRef(null);
  useEffect(() => {
    loadVideos();
    if (may("chat")) api.chats().then(() => change({ hasChat: true }), () => {});
    return follow();
  }, []);
  useEffect(() => {
    scrollTo(0, 0);
    if (document.activeElement?.closest(".nav")) page.current?.focus({ preventScroll: true });
  }, [route.view, route.id]);
  const View = VIEWS[route.view] ?? Library;
  return html`
    <a class="skip" href="#/" onClick=${(event) => { event.preventDefault(); page.current.focus(); }}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/"><${Mark} /><span>Trireel</span></a>
      <${Navigation} view=${route.view} chat=${hasChat} />
      ${route.view === "search" ? html`<span class="push"></span>` : html`<${Find} />`}
      <${Tools} />
    </header>
    ${!online && html`<p class="offline" role="status">The connection to the server is lost. The page tries again by itself.</p>`}
    <main class="page" tabindex="-1" ref=${page}><${View} route=${route} /></main>
    <${Toasts} />`;
}

function Navigation({ view, chat }) {
  const here = view === "videos" ? "library" : view;
  const links = [["library", "Library", "#/"], ["search", "Search", "#/search"],
    chat && ["ask", "Ask", "#/ask"], ["jobs", "Jobs", "#/jobs"], ["server", "Server", "#/server"]].filter(Boolean);
  return html`<nav class="nav" aria-label="Views">
    ${links.map(([name, title, href]) => html`
      <a key=${name} href=${href} aria-current=${here === name ? "page" : null}><${Icon} name=${name} />${title}</a>`)}
  </nav>`;
}

function Find() {
  const input = useRef(null);
  useEffect(() => {
    const onKey = (event) => {
      if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
      event.preventDefault();
      (document.querySelector("main [type=search]") ?? input.current)?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const submit = (event) => {
    event.preventDefault();
    const text = input.current.value.trim();
    if (text) go(`#/search?q=${encodeURIComponent(text)}`);
  };
  return html`<form class="find" role="search" onSubmit=${submit}>
    <${Icon} name="search" />
    <input class="input" ref=${input} placeholder="Search all videos" aria-label="Search all videos" enterkeyhint="search" />
  </form>`;
}

function Tools() {
  const { session } = useStore();
  const [dark, setDark] = useState(isDark);
  const flip = () => {
    const theme = dark ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("trireel-theme", theme); } catch { /* kept for this page alone */ }
    setDark(!dark);
  };
  const leave = () => api.signOut().catch(() => {}).then(() => change({ session: null, trouble: "", videos: null }));
  return html`<div class="tools spread">
    <button class="button plain icon" onClick=${flip} aria-label=${dark ? "Use the light theme" : "Use the dark theme"}
      title=${dark ? "Light theme" : "Dark theme"}><${Icon} name="theme" /></button>
    <button class="button plain icon" onClick=${leave} aria-label="Sign out" title=${`Sign out ${session.owner ?? ""}`}><${Icon} name="out" /></button>
  </div>`;
}

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function Toasts() {
  const { toasts } = useStore();
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map((toast) => html`<p class="toast" key=${toast.id}>${toast.text}</p>`)}
  </div>`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
