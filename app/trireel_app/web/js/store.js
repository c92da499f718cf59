// SPDX-License-Identifier: Apache-2.0
/** What several views share: videos by id, uploads of this tab, the session and short messages. */
import { api } from "./api.js";
import { useEffect, useState } from "./html.js";

const state = { session: undefined, hasChat: false, videos: null, next: null, uploads: [], toasts: [], online: true, trouble: "" };
const listeners = new Set();

export const read = () => state;

export function change(values) {
  Object.assign(state, values);
  listeners.forEach((listener) => listener());
}

/** Return the shared state; the component is drawn again if it changes. */
export function useStore() {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again((number) => number + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return state;
}

/** Show one sentence for some seconds. */
export function tell(text) {
  const toast = { text, id: Math.random() };
  change({ toasts: [...state.toasts, toast] });
  setTimeout(() => change({ toasts: state.toasts.filter((other) => other !== toast) }), 5000);
}

/** Load the first page of videos again, newest first. */
export async function loadVideos() {
  try {
    const page = await api.videos({ limit: 60 });
    change({ videos: new Map(page.videos.map((video) => [video.id, video])), next: page.next, trouble: "" });
  } catch (error) {
    change({ trouble: error.message, videos: state.videos ?? new Map() });
  }
}

export async function loadMore() {
  const page = await api.videos({ limit: 60, cursor: state.next });
  const more = page.videos.map((video) => [video.id, video]);
  change({ videos: new Map([...(state.videos ?? []), ...more]), next: page.next });
}

/** Put a video into the list: in its place if it is there, else in front. */
export function put(video) {
  const videos = state.videos ?? new Map();
  const known = videos.has(video.id);
  change({ videos: known ? new Map(videos).set(video.id, video) : new Map([[video.id, video], ...videos]) });
}

export function drop(id) {
  const videos = new Map(state.videos);
  videos.delete(id);
  change({ videos });
}

const waiting = new Map();

/** Ask for a video's state again, at most four times a second. */
export function refresh(id) {
  if (waiting.has(id)) return;
  waiting.set(id, setTimeout(async () => {
    waiting.delete(id);
    try {
      put(await api.video(id));
    } catch (error) {
      if (error.status === 404) drop(id);
    }
  }, 250));
}

/** Whether the session may do something of a scope. */
export function may(scope) {
  const scopes = state.session?.scopes ?? [];
  return scopes.includes(scope) || scopes.includes("admin");
}
