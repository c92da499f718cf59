// SPDX-License-Identifier: Apache-2.0
/** Server-sent events: of all videos for the list, and of one video for its live view. */
import { change, drop, loadVideos, put, read, refresh } from "./store.js";

const KINDS = ["state", "progress", "scene", "caption", "tags", "description", "done", "deleted"];
const AGAIN_MS = 3000;

/** Listen to a stream of events; returns a function that ends it. The browser resumes by itself. */
export function listen(path, onEvent, { onOpen, onLost } = {}) {
  let source, timer, ended = false, last = "";
  const receive = (message) => {
    last = message.lastEventId || last;
    onEvent(JSON.parse(message.data));
  };
  const open = () => {
    source = new EventSource(last ? `${path}?after=${encodeURIComponent(last)}` : path);
    for (const kind of KINDS) source.addEventListener(kind, receive);
    source.onmessage = receive;
    source.onopen = () => onOpen?.();
    source.onerror = () => {
      onLost?.();
      // After an HTTP error the browser gives up, so we begin again.
      if (source.readyState === EventSource.CLOSED && !ended) timer = setTimeout(open, AGAIN_MS);
    };
  };
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source.close();
  };
}

/** Keep the list of videos true while the page is open. */
export function follow() {
  let opened = false;
  return listen("/v1/events", apply, {
    onOpen: () => {
      if (opened || !read().online) loadVideos();
      opened = true;
      change({ online: true });
    },
    onLost: () => change({ online: false }),
  });
}

function apply(event) {
  if (event.kind === "deleted") return drop(event.video);
  const video = read().videos?.get(event.video);
  if (!video || event.kind === "state" || event.kind === "done") return refresh(event.video);
  if (event.kind === "progress" && ["queued", "running"].includes(video.state)) {
    put({ ...video, progress: { ...video.progress, ...event.data } });
  }
}
