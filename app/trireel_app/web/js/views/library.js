// SPDX-License-Identifier: Apache-2.0
import { api } from "../api.js";
import { count } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";
import { UploadCard, VideoCard } from "../parts/card.js";
import { Empty, Notice, usePause } from "../parts/common.js";
import { loadMore, may, put, tell, useStore } from "../store.js";
import { addFiles } from "../uploads.js";

/** All videos as a wall; the whole view takes dropped files. */
export function Library() {
  const { videos, next, uploads, trouble } = useStore();
  const [text, setText] = useState("");
  const filter = usePause(text.trim().toLowerCase(), 150);
  const [link, setLink] = useState(false);
  const writes = may("videos:write");
  const over = useDrop(writes);
  const all = videos ? [...videos.values()] : [];
  const shown = all.filter((video) => !filter || video.name.toLowerCase().includes(filter));
  const empty = videos && !all.length && !uploads.length;
  return html`
    <div class="page-head">
      <h1>Library</h1>
      ${all.length > 0 && html`<span class="soft">${count(all.length, "video")}${next ? " or more" : ""}</span>`}
      <div class="spread push">
        ${all.length > 8 && html`<input class="input filter" type="search" placeholder="Filter by name" aria-label="Filter by name"
          value=${text} onInput=${(event) => setText(event.target.value)} />`}
        ${writes && !empty && html`<${AddFile} /><button class="button" aria-expanded=${link} onClick=${() => setLink(!link)}><${Icon} name="link" />Add address</button>`}
      </div>
    </div>
    ${link && html`<${Address} onDone=${() => setLink(false)} />`}
    ${trouble && html`<${Notice} bad>${trouble}<//>`}
    ${empty && !trouble && html`<${FirstVideo} writes=${writes} onLink=${() => setLink(true)} />`}
    ${!videos && html`<ul class="wall" aria-label="The videos are loading">${[1, 2, 3, 4].map((key) => html`<li class="ghost card-ghost" key=${key}></li>`)}</ul>`}
    <ul class="wall">
      ${uploads.map((upload) => html`<${UploadCard} key=${upload.id} upload=${upload} />`)}
      ${shown.map((video) => html`<${VideoCard} key=${video.id} video=${video} />`)}
    </ul>
    ${filter && !shown.length && html`<${Empty} icon="search" title="No video has this name"><p>Take a part of the name, or search what is in the videos.</p><//>`}
    ${next && html`<p class="more"><button class="button" onClick=${loadMore}>Show more</button></p>`}
    ${over && html`<div class="drop-veil"><div><${Icon} name="upload" /><p>Drop the files to add them</p></div></div>`}`;
}

function useDrop(writes) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!writes) return undefined;
    let depth = 0;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const handlers = {
      dragenter: (event) => { if (hasFiles(event)) { event.preventDefault(); depth++; setOver(true); } },
      dragover: (event) => { if (hasFiles(event)) event.preventDefault(); },
      dragleave: (event) => { if (hasFiles(event) && --depth <= 0) { depth = 0; setOver(false); } },
      drop: (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth = 0;
        setOver(false);
        addFiles(event.dataTransfer.files);
      },
    };
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
    return () => { for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler); };
  }, [writes]);
  return over;
}

function AddFile({ children = "Add video" }) {
  const input = useRef(null);
  const chosen = () => {
    addFiles([...input.current.files]);
    input.current.value = "";
  };
  return html`<input type="file" accept="video/*,.mkv,.ts,.mts" multiple hidden ref=${input} onChange=${chosen} data-test="file" />
    <button class="button main" onClick=${() => input.current.click()}><${Icon} name="add" />${children}</button>`;
}

function FirstVideo({ writes, onLink }) {
  if (!writes) return html`<${Empty} icon="film" title="No videos yet"><p>Your key may look at videos but not add any.</p><//>`;
  return html`<div class="first panel"><${Empty} icon="film" title="Drop a video here">
    <p>Trireel finds its scenes, tags, captions, objects and text on the screen. You can then search it in your own words.</p>
    <div class="spread"><${AddFile}>Choose a file<//><button class="button" onClick=${onLink}><${Icon} name="link" />Add address</button></div>
  <//></div>`;
}

function Address({ onDone }) {
  const [error, setError] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    const uri = new FormData(event.target).get("uri").trim();
    try {
      put(await api.addAddress(uri));
      tell("The video is in the queue.");
      onDone();
    } catch (problem) {
      setError(problem.message);
    }
  };
  return html`<form class="panel address" onSubmit=${submit}>
    <label class="field"><span>Address of a video</span>
      <input class="input mono" name="uri" required autofocus placeholder="https://… or s3://…" /></label>
    <button class="button main">Add</button>
    ${error && html`<${Notice} bad>${error}<//>`}
  </form>`;
}
